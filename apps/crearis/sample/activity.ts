import { Dice } from './dice.js'
import type { ProjectRow } from './projects.js'

/** The owner of a project and, where it has a team, its members. */
export function buildMemberships(projects: readonly ProjectRow[]) {
  const dice = new Dice('memberships')
  return projects.flatMap(({ domaincode, owner, member_ids }) => {
    const members = [...new Set([owner, ...(member_ids ?? [])])].filter((mail) => mail !== null)
    return members.map((user) => ({
      project: domaincode,
      user,
      role: user === owner ? 'owner' : 'member',
      added_at: dice.moment(2025),
    }))
  })
}

export type PageRow = ReturnType<typeof buildPages>[number]

/** A landing page for every project, a team page for every team. Keys differ between databases, so they get a seed. */
export function buildPages(projects: readonly ProjectRow[], seed: string) {
  const dice = new Dice('pages')
  const keys = new Dice(`page keys of ${seed}`)
  return projects.flatMap((project) => {
    const types = project.team_page === 'yes' ? ['landing', 'team'] : ['landing']
    return types.map((page_type) => ({
      id: keys.uuid(),
      project: project.domaincode,
      page_type,
      keeper: dice.isLucky(0.5) ? project.owner : null,
      header_type: dice.pick(['simple', 'columns', 'banner', 'cover', 'bauchbinde']),
      page_options: dice.pick([{}, { layout: 'wide', columns: [1, 2, { span: 3 }] }]),
      header_options: dice.pick([{}, { title: `Hallo „${project.name}“` }, null]),
      aside_options: dice.pick([{}, { list: 'events', size: 0 }]),
      footer_options: dice.pick([{}, { text: 'Grüße\naus der Werkstatt' }]),
      created_at: dice.moment(2024),
      updated_at: dice.moment(2025),
    }))
  })
}

/** Some sections of a page are alike to the letter: they are told apart by how many there are. */
export function buildPageSections(pages: readonly PageRow[], seed: string) {
  const dice = new Dice('sections')
  const keys = new Dice(`section keys of ${seed}`)
  return pages.flatMap((page) => {
    const count = dice.int(0, 3)
    const sections = Array.from({ length: count }, () => ({
      id: keys.uuid(),
      page: page.id,
      scope: dice.pick(['page', 'header', 'aside', 'bottom']),
      type: dice.pick(['1_postit', '2_list', '3_gallery']),
      heading: dice.pick(['Termine', 'Bilder 📷', '', null]),
      created_at: dice.moment(2025),
      updated_at: dice.moment(2025),
    }))
    const [twin] = sections
    return twin !== undefined && count === 3 ? [...sections, { ...twin, id: keys.uuid() }] : sections
  })
}

export function buildInteractions(count: number, users: readonly string[], projects: readonly string[]) {
  const dice = new Dice('interactions')
  return Array.from({ length: count }, (_, index) => {
    const user = dice.isLucky(0.7) ? dice.pick(users) : null
    return {
      name: dice.pick(['anmeldung', 'frage', 'absage']),
      timestamp: dice.moment(2025),
      user,
      project: dice.isLucky(0.8) ? dice.pick(projects) : null,
      status: dice.pick(['new', 'pending', 'processed', 'completed', 'spam']),
      actions: dice.pick([null, [], [{ at: '2025-10-01T09:00:00', by: 'tp', what: 'beantwortet' }]]),
      to_mail: `buero${index % 3}@crearis.example`,
      from_mail: user ?? `gast${index}@post.example`,
      subject: dice.pick(['Anmeldung', 'AW: "Sommerwoche"', '', null]),
      md: `Guten Tag,\n\nwir kommen zu ${dice.int(2, 5)}t.\n\n-- \nMit Grüßen`,
      fields: dice.pick([null, { plz: '01067', alter: '07', allergien: '' }]),
    }
  })
}

export function buildFormInput(count: number, projects: readonly string[], users: readonly string[], seed: string) {
  const dice = new Dice('form input')
  const keys = new Dice(`form keys of ${seed}`)
  return Array.from({ length: count }, (_, index) => ({
    id: keys.uuid(),
    project: dice.isLucky(0.9) ? dice.pick(projects) : null,
    name: dice.pick(['Frau Süß', 'J. Novák', '']),
    email: `besuch${index + 1}@post.example`,
    user: dice.isLucky(0.3) ? dice.pick(users) : null,
    input: { frage: 'Gibt es Parkplätze?', telefon: `0${dice.text('0123456789', 7)}`, kinder: dice.int(0, 4), n: null },
    created_at: dice.moment(2025),
    updated_at: dice.moment(2025),
  }))
}

export interface Records {
  readonly [kind: string]: readonly string[]
}

/** Tasks for single records of every kind, and some for the site as a whole. */
export function buildTasks(count: number, records: Records, users: readonly string[]) {
  const dice = new Dice('tasks')
  const kinds = Object.keys(records)
  return Array.from({ length: count }, (_, index) => {
    const record_type = index % 6 === 5 ? null : dice.pick(kinds)
    const record_id = record_type === null ? null : dice.pick(records[record_type] ?? [])
    return {
      id: `task_${dice.text('0123456789abcdef', 12)}`,
      name: dice.pick(['Text kürzen', 'Bild nachreichen', 'Termin bestätigen', 'Ort prüfen']),
      description: dice.pick([null, '', 'Bitte bis Freitag – "wirklich".']),
      category: record_type === null ? 'admin' : dice.pick(['project', 'base', 'main']),
      priority: dice.pick(['low', 'medium', 'high', 'urgent']),
      record_type,
      record_id,
      assigned_to: dice.isLucky(0.6) ? dice.pick(users) : null,
      status: dice.pick(['new', 'idea', 'draft', 'active', 'final', 'reopen', 'trash']),
      created_at: dice.moment(2025),
      updated_at: dice.pick([null, '2025-11-01T08:00:00.000500Z']),
      due_date: dice.pick(['2026-02-28', '', null]),
      completed_at: null,
      version_id: dice.isLucky(0.3) ? 'v1.0.3' : null,
      release_id: dice.isLucky(0.3) ? 'r2' : null,
      prompt: dice.pick([null, 'Schreib es für Zehnjährige.']),
      logic: record_type === null ? 'watchcsv' : null,
      filter: record_type === null ? '{"kind": ["all"]}' : null,
      entity_name: record_type === null ? null : `Zu ${record_id}`,
      lang: dice.pick(['de', 'en']),
    }
  })
}

export function buildHistory(events: readonly string[]) {
  const dice = new Dice('history')
  const at = { created_at: dice.moment(2025) }
  return {
    releases: [
      {
        ...at,
        id: 'r1',
        version: '0.1',
        version_major: 0,
        version_minor: 1,
        state: 'final',
        release_date: '2025-03-01',
        description: 'Grundgerüst',
      },
      {
        ...at,
        id: 'r2',
        version: '0.2',
        version_major: 0,
        version_minor: 2,
        state: 'draft',
        release_date: '',
        description: 'Bilder & Status',
      },
      {
        ...at,
        id: 'r10',
        version: '0.10',
        version_major: 0,
        version_minor: 10,
        state: 'idea',
        release_date: null,
        description: null,
      },
    ],
    versions: [
      {
        ...at,
        id: 'v1.0.2',
        version_number: '1.0.2',
        name: 'Frühjahr',
        description: '',
        created_by: 'admin',
        is_active: 0,
        notes: null,
      },
      {
        ...at,
        id: 'v1.0.3',
        version_number: '1.0.3',
        name: 'Herbst',
        description: 'Stand der Tabellen',
        created_by: 'admin',
        is_active: 1,
        notes: 'mit Umlauten: äöüß',
      },
    ],
    record_versions: events.slice(0, 6).map((record_id, index) => ({
      ...at,
      id: `rv_${String(index + 1).padStart(4, '0')}`,
      version_id: index % 2 === 0 ? 'v1.0.2' : 'v1.0.3',
      record_type: 'event',
      record_id,
      data: `{"name": "Stand ${index}", "seats_max": 012}`,
    })),
    hero_overrides: [
      {
        ...at,
        id: 'hero_winter',
        cimg: 'https://bilder.example/winter.jpg',
        heading: 'Der Winter **spielt**',
        description: null,
        event_ids: events.slice(0, 3).join(','),
        updated_at: '',
      },
      {
        ...at,
        id: 'hero_sommer',
        cimg: null,
        heading: 'Draußen ☀️',
        description: 'Bis September',
        event_ids: '',
        updated_at: null,
      },
    ],
    system_config: [
      {
        key: 'watchcsv',
        value: '{"isActive": false, "files": ["events", "posts"]}',
        description: 'Wacht über die Tabellen',
        updated_at: dice.moment(2025),
      },
      { key: 'watchdb', value: '{"entities": []}', description: null, updated_at: dice.moment(2025) },
    ],
  }
}

const WORDS = [
  ['delete', 'button', 'Löschen', 'Delete', 'Smazat'],
  ['edit', 'button', 'Bearbeiten', 'Edit', 'Upravit'],
  ['posts', 'nav', 'Beiträge', 'Posts', 'Příspěvky'],
  ['team', 'nav', 'Team', 'Team', 'Tým'],
  ['city', 'field', 'Ort', 'City', 'Město'],
  ['zip', 'field', 'PLZ', 'Postcode', 'PSČ'],
  ['teaser', 'desc', 'Ein Satz, der "Lust macht"', 'A sentence that invites', null],
] as const

export function buildI18nCodes() {
  const dice = new Dice('words')
  return WORDS.flatMap(([name, type, de, en, cz]) =>
    ['false', 'short'].map((variation) => ({
      name,
      variation,
      type,
      text: cz === null ? { de, en } : { de, en, cz },
      status: cz === null ? 'draft' : 'ok',
      created_at: dice.moment(2025),
      updated_at: dice.moment(2025),
    })),
  )
}
