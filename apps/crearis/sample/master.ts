import {
  buildFormInput,
  buildHistory,
  buildI18nCodes,
  buildInteractions,
  buildMemberships,
  buildPageSections,
  buildPages,
  buildTasks,
} from './activity.js'
import { buildEvents, buildLocations, buildPairs, buildPosts, buildTags } from './content.js'
import { buildImages } from './images.js'
import { buildInstructors, buildParticipants, buildUsers, linkUsers } from './people.js'
import { buildDomains, buildProjects, buildSysdomains, buildTlds } from './projects.js'

export type Sample = ReturnType<typeof buildSample>

/**
 * All rows of a real installation's size, as plain data: references are identities (mail addresses, domaincodes, xmlids), so the rows
 * mean the same in every database. `seed` makes the random text keys that differ between databases.
 */
export function buildSample(seed: string) {
  const strangers = buildUsers(170)
  const mails = strangers.map(({ sysmail }) => sysmail)
  const projects = buildProjects(mails.slice(0, 16), mails.slice(0, 60))
  const domaincodes = projects.map(({ domaincode }) => domaincode)
  const people = buildInstructors(25)
  const portraits = people.flatMap(({ image }) => (image === null ? [] : [image]))
  const images = buildImages(60, domaincodes, mails.slice(0, 30), portraits)
  const imageIds = images.map(({ xmlid }) => xmlid)
  const places = buildLocations(domaincodes, imageIds)
  const locationIds = places.map(({ xmlid }) => xmlid)
  const authors = people.map(({ xmlid }) => xmlid)
  const parts = {
    projects: domaincodes,
    users: mails.slice(0, 40),
    hosts: authors.slice(0, 18),
    locations: locationIds,
    images: imageIds,
  }
  const events = buildEvents(parts)
  const eventIds = events.map(({ xmlid }) => xmlid)
  const withEvent = <Row extends { event_xmlid: string | null }>(rows: readonly Row[]): Row[] =>
    rows.map((row, index) => (index % 4 === 1 ? { ...row, event_xmlid: eventIds[index] ?? null } : row))
  const instructors = withEvent(people)
  const locations = withEvent(places)
  const participants = buildParticipants(45, eventIds)
  const users = linkUsers(strangers, instructors, participants, imageIds)
  const posts = buildPosts(35, { ...parts, events: eventIds, authors })
  const postIds = posts.map(({ xmlid }) => xmlid)
  const tags = buildTags()
  const tagNames = tags.map(({ name }) => name)
  const pages = buildPages(projects, seed)
  const records = {
    event: eventIds,
    post: postIds,
    location: locationIds,
    instructor: authors,
    participant: participants.map(({ xmlid }) => xmlid),
    project: domaincodes,
    user: mails.slice(0, 20),
  }
  return {
    tlds: buildTlds(),
    sysdomains: buildSysdomains(),
    tags,
    i18n_codes: buildI18nCodes(),
    ...buildHistory(eventIds),
    users,
    projects,
    images,
    instructors,
    domains: buildDomains(projects),
    project_members: buildMemberships(projects),
    locations,
    events,
    posts,
    participants,
    events_tags: buildPairs('events_tags', eventIds, tagNames, 4),
    posts_tags: buildPairs('posts_tags', postIds, tagNames, 3),
    event_instructors: buildPairs('event_instructors', eventIds, authors, 3),
    pages,
    page_sections: buildPageSections(pages, seed),
    interactions: buildInteractions(30, mails, domaincodes),
    form_input: buildFormInput(14, domaincodes, mails, seed),
    tasks: buildTasks(36, records, mails.slice(0, 12)),
  }
}
