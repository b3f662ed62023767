import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { engines } from '../../../packages/understudy/test/support/engines.js'
import { fillMaster, fillSlave, plantOneChange, readLocalRows } from '../sample/index.js'
import { buildSample } from '../sample/master.js'
import { buildSlaveSample } from '../sample/slave.js'
import { COLUMNS } from './expected-schema.js'
import { type Crearis, useCrearis } from './support.js'

test('the sample is the same every time it is made', () => {
  expect(buildSample('master')).toEqual(buildSample('master'))
  expect(buildSlaveSample()).toEqual(buildSlaveSample())
  expect(digestOf([JSON.stringify(buildSample('master'))])).toBe(digestOf([JSON.stringify(buildSample('master'))]))
})

describe.each(engines)('on $name', (engine) => {
  const [master, twin, slave] = [useCrearis(engine), useCrearis(engine), useCrearis(engine)]

  beforeAll(async () => {
    for (const crearis of [master, twin, slave]) await crearis.migrate('B')
    await fillMaster(master)
    await fillMaster(twin)
    await fillSlave(slave)
  })

  test('the master has the size of a real installation', async () => {
    const counts = await countRows(master)
    expect(counts).toMatchObject({
      users: 176,
      projects: 21,
      images: 60,
      posts: 35,
      events: 25,
      participants: 45,
      instructors: 25,
      locations: 20,
      status: 114,
    })
    expect(Object.keys(counts).filter((table) => counts[table] === 0)).toEqual([])
  })

  test('two masters are equal to the byte', async () => {
    const [one, two] = [await readEverything(master), await readEverything(twin)]
    expect(two).toEqual(one)
    expect(digestOf(two)).toBe(digestOf(one))
  })

  test.each(['master', 'slave'] as const)('every link of the %s is found, and none dangles', async (which) => {
    const [crearis, sample] = which === 'master' ? [master, buildSample('master')] : [slave, buildSlaveSample()]
    const named = (rows: readonly object[], field: string) =>
      rows.filter((row) => (row as Record<string, unknown>)[field] !== null).length
    expect(
      await crearis.one(`
        select
          (select count(*)::integer from users where instructor_id is not null) as teachers,
          (select count(*)::integer from users where participant_id is not null) as participants,
          (select count(*)::integer from projects where regio is not null) as regions,
          (select count(*)::integer from projects where domain_id is not null) as domains,
          (select count(*)::integer from projects where img_id is not null) as titles,
          (select sum(jsonb_array_length(member_ids))::integer from projects) as members,
          (select count(*)::integer from events where project_id is not null) as events,
          (select count(*)::integer from posts where img_id is not null) as posts,
          (select count(*)::integer from images where root_id is not null) as variations
      `),
    ).toEqual({
      teachers: named(sample.users, 'instructor'),
      participants: named(sample.users, 'participant'),
      regions: named(sample.projects, 'regio'),
      domains: sample.domains.length,
      titles: named(sample.projects, 'image'),
      members: sample.projects.reduce((sum, { member_ids }) => sum + (member_ids?.length ?? 0), 0),
      events: named(sample.events, 'project'),
      posts: named(sample.posts, 'image'),
      variations: named(sample.images, 'parent'),
    })
    expect(await crearis.query(danglingLinks)).toEqual([])
  })

  test('the same identities have other numbers in the slave', async () => {
    for (const [table, identity] of Object.entries(IDENTITIES)) {
      const numbers = `select ${identity} as identity, id from ${table} where ${identity} is not null`
      const ours = await master.query<{ identity: string; id: number }>(numbers)
      const theirs = await slave.query<{ identity: string; id: number }>(numbers)
      const idOf = new Map(theirs.map(({ identity, id }) => [identity, id]))
      const shared = ours.filter(({ identity }) => idOf.has(identity))
      const moved = shared.filter(({ identity, id }) => idOf.get(identity) !== id)
      expect(shared.length, table).toBeGreaterThan(4)
      expect(moved.length, table).toBeGreaterThan(shared.length * 0.8)
      const ids = new Set(theirs.map(({ id }) => id))
      expect(
        ours.some(({ id }) => ids.has(id)),
        `${table}: a number that means different rows`,
      ).toBe(true)
    }
  })

  test('the slave lacks rows, has older ones, and has its own', async () => {
    const events = await master.query<{ xmlid: string; teaser: string }>(`select xmlid, teaser from events`)
    const teasers = new Map(
      (await slave.query<{ xmlid: string; teaser: string }>(`select xmlid, teaser from events`)).map((event) => [
        event.xmlid,
        event.teaser,
      ]),
    )
    expect(events.filter(({ xmlid }) => !teasers.has(xmlid))).toHaveLength(6)
    expect(events.filter(({ xmlid, teaser }) => teasers.has(xmlid) && teasers.get(xmlid) !== teaser)).toHaveLength(6)
    expect(await readLocalRows(master)).toEqual([])
    expect(await readLocalRows(slave)).toHaveLength(25)
  })

  test('what hurts is in it', async () => {
    expect(
      await master.one(`
        select
          (select xmlid from locations where xmlid ~ 'ö') as umlaut,
          (select count(*) > 0 from locations where zip like '0%') as leading_zero,
          (select count(*) > 0 from images where octet_length(rtags) = 0) as empty_bytes,
          (select count(*) > 0 from images where octet_length(ctags) > 1) as several_bytes,
          (select count(*) > 0 from posts where html = '') as empty_text,
          (select count(*) > 0 from users where extract(microseconds from created_at)::integer % 1000 <> 0) as microseconds,
          (select domaincode from projects where regio = id) as own_region,
          (select count(*) > 0 from events where html like e'%\\r\\n') as windows_line_end,
          (select count(*) > 0 from sysdomains where subdomain is null) as null_in_identity
      `),
    ).toEqual({
      umlaut: '_demo.location_schlosshof_köpfling',
      leading_zero: true,
      empty_bytes: true,
      several_bytes: true,
      empty_text: true,
      microseconds: true,
      own_region: 'suedbayern',
      windows_line_end: true,
      null_in_identity: true,
    })
  })

  test('one planted change alters one row', async () => {
    const before = await readEverything(twin)
    const change = await plantOneChange(twin)
    const after = await readEverything(twin)
    const altered = after.filter((line) => !before.includes(line))
    expect(altered).toHaveLength(1)
    expect(altered[0]).toContain(change.identity)
  })
})

const IDENTITIES = {
  users: 'sysmail',
  projects: 'domaincode',
  images: 'xmlid',
  instructors: 'xmlid',
  locations: 'xmlid',
  events: 'xmlid',
  posts: 'xmlid',
  participants: 'xmlid',
  tags: 'name',
  countries: 'xmlid',
  domains: 'domainname',
}

/** Soft links that point to no row. */
const danglingLinks = `
  select 'event' as link, xmlid from events where event_xmlid is not null and event_xmlid not in (select xmlid from events)
  union all select 'template', xmlid from events where template is not null and template not in (select xmlid from events)
  union all select 'address', xmlid from events where address_id is not null and address_id not in (select xmlid from locations)
  union all select 'tags', xmlid from events where not tags_ids <@ array(select id from tags)
  union all select 'event', xmlid from posts where event_xmlid is not null and event_xmlid not in (select xmlid from events)
  union all select 'template', xmlid from posts where template is not null and template not in (select xmlid from posts)
  union all select 'author', xmlid from posts where author_id is not null and author_id not in (select xmlid from instructors)
  union all select 'tags', xmlid from posts where not tags_ids <@ array(select id from tags)
  union all select 'event', xmlid from participants
    where event_xmlid is not null and event_xmlid not in (select xmlid from events)
  union all select 'event', xmlid from instructors
    where event_xmlid is not null and event_xmlid not in (select xmlid from events)
  union all select 'event', xmlid from locations
    where event_xmlid is not null and event_xmlid not in (select xmlid from events)
  union all select 'status', xmlid from images where status_id not in (select id from status where "table" = 'images')
  union all select 'alike', xmlid from images where not (variations).alike_ids <@ array(select id from images)
  union all select 'parent', xmlid from images
    where (variations).parent_id is not null and (variations).parent_id not in (select id from images)
  union all select 'event', event_id::text from event_instructors where event_id not in (select id from events)
  union all select 'instructor', instructor_id::text from event_instructors
    where instructor_id not in (select id from instructors)
  union all select 'release', id from tasks where release_id is not null and release_id not in (select id from releases)
  union all select 'version', id from tasks where version_id is not null and version_id not in (select id from versions)
  union all select 'record', id from tasks
    where record_type is not null
      and (record_type, record_id) not in (
        select 'event', xmlid from events
        union all select 'post', xmlid from posts
        union all select 'location', xmlid from locations
        union all select 'instructor', xmlid from instructors
        union all select 'participant', xmlid from participants
        union all select 'project', domaincode from projects
        union all select 'user', sysmail from users
      )
  union all select 'record', id from record_versions where record_id not in (select xmlid from events)
`

async function countRows({ query }: Crearis): Promise<Record<string, number>> {
  const parts = Object.keys(COLUMNS).map(
    (table) => `select '${table}' as name, count(*)::integer as count from ${table}`,
  )
  const rows = await query<{ name: string; count: number }>(parts.join(' union all '))
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]))
}

/** Every row as text, apart from the two moments at which the migrations seeded words. */
async function readEverything({ query }: Crearis): Promise<string[]> {
  const parts = Object.keys(COLUMNS).map((table) => {
    const row = table === 'i18n_codes' ? `to_jsonb(t) - 'created_at' - 'updated_at'` : 'to_jsonb(t)'
    return `select '${table} ' || (${row})::text as line from ${table} as t`
  })
  const rows = await query<{ line: string }>(`
    select line
    from (${parts.join(' union all ')}) as lines
    order by line collate "C"
  `)
  return rows.map(({ line }) => line)
}

function digestOf(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex')
}
