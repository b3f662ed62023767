import { Dice } from './dice.js'

/** Domaincode, name, type, region. One region belongs to itself: a reference from a row to the same row. */
const PROJECTS: readonly (readonly [string, string, string, string | null])[] = [
  ['tp', 'Theaterpädagogik im Netz', 'special', null],
  ['nordbayern', 'Region Nordbayern', 'regio', null],
  ['suedbayern', 'Region Südbayern', 'regio', 'suedbayern'],
  ['boehmen', 'Region Böhmen', 'regio', null],
  ['rhein_ruhr', 'Region Rhein-Ruhr', 'regio', null],
  ['maske', 'Maske und Rolle', 'topic', null],
  ['improvisation', 'Improvisation', 'topic', null],
  ['opus1', 'Opus 1 – Musiktheater für Anfänger', 'topic', null],
  ['theaterwerk_lauf', 'Theaterwerk Lauf', 'project', 'nordbayern'],
  ['jugendclub_rampe', 'Jugendclub Rampe', 'project', 'nordbayern'],
  ['figurenlabor', 'Figurenlabor Fürth', 'project', 'nordbayern'],
  ['hofbuehne', 'Hofbühne Schlehdorf', 'project', 'suedbayern'],
  ['schultheater_isar', 'Schultheater an der Isar', 'project', 'suedbayern'],
  ['zweite_probe', 'Zweite Probe e. V.', 'project', 'suedbayern'],
  ['divadlo_most', 'Divadlo Most / Theater Brücke', 'project', 'boehmen'],
  ['loutky', 'Loutky a hlasy', 'project', 'boehmen'],
  ['zeche_drei', 'Zeche Drei', 'project', 'rhein_ruhr'],
  ['sprechchor', 'Sprechchor Süd', 'project', 'rhein_ruhr'],
  ['haus_am_kanal', 'Haus am Kanal', 'location', 'rhein_ruhr'],
  ['alte_giesserei', 'Alte Gießerei', 'location', 'nordbayern'],
]

const TEASERS = [
  'Wir spielen, was uns angeht.',
  'Sieben Proben, ein Abend, kein Netz.',
  'Theater für alle, die „eigentlich nicht spielen können“.',
  '',
  null,
] as const

const STATUSES = ['done', 'progress', 'released', 'publish', 'demo'] as const

export type ProjectRow = ReturnType<typeof buildProjects>[number]

/** Owners and members are mail addresses; regio and domain are domaincodes and names of domains. */
export function buildProjects(owners: readonly string[], members: readonly string[]) {
  const dice = new Dice('projects')
  return PROJECTS.map(([domaincode, name, type, regio], index) => {
    const isTeam = type !== 'regio' && dice.isLucky(0.8)
    return {
      domaincode,
      name,
      type,
      regio,
      description: dice.isLucky(0.3) ? null : `${name}: Kurse, Proben und Aufführungen das ganze Jahr über.`,
      status: index === 3 ? 'draft' : dice.pick(STATUSES),
      status_old: dice.pick(['new', 'progress', 'active', null]),
      owner: owners[index % owners.length] ?? null,
      member_ids: isTeam ? dice.some(members, dice.int(2, 7)) : null,
      created_at: dice.moment(2023),
      updated_at: dice.isLucky(0.5) ? '2025-09-30T08:15:00.120000Z' : '',
      header_type: dice.pick(['simple', 'banner', 'cover', null]),
      header_size: dice.pick(['small', 'medium', 'large', null]),
      heading: `**${name}** – herzlich willkommen`,
      teaser: dice.pick(TEASERS),
      md: `# ${name}\n\n> „Erst das Spiel, dann die Regel.“\n\n* offene Probe: *jeden ${dice.pick(['Montag', 'Dienstag'])}*\n* Beitrag: ${dice.int(5, 40)} € 🎭\n`,
      html: `<h1>${name}</h1>\n<p class="lead">Wir proben &amp; spielen.</p>`,
      theme: dice.int(0, 7),
      cimg: dice.isLucky(0.4) ? `https://bilder.example/${domaincode}/titel.jpg` : null,
      partner_projects: type === 'topic' ? 'theaterwerk_lauf,zeche_drei' : '',
      team_page: isTeam ? 'yes' : 'no',
      cta_title: dice.pick(['Mitmachen', 'Schreib uns!', null]),
      cta_entity: dice.pick(['event', 'post', 'instructor', null]),
      cta_link: dice.pick(['/mitmachen', '', null]),
      is_company: domaincode === 'zweite_probe',
      config: dice.isLucky(0.7)
        ? { onepage: dice.isLucky(0.4), sidebar: dice.isLucky(0.3), limits: { rows: 12 } }
        : null,
      domain: type === 'regio' ? null : domaincode,
      image: index % 4 === 3 ? null : `${domaincode}.image.titel-1`,
      page_background: dice.pick(['', '', '#f4efe6']),
      page_cssvars: dice.pick([{}, {}, { '--accent': '#b3202a', '--font': 'Söhne, "Inter"' }]),
      header_alert: dice.pick([{}, {}, { text: 'Heute keine Probe ❗', until: '2025-12-01' }]),
      aside_list: dice.pick(['', 'events', 'posts']),
      footer_gallery: dice.pick(['', 'bilder']),
      footer_postit: dice.pick([{}, { heading: 'Förderer', items: ['Stadt', 'Stiftung „Bühne“', null] }]),
    }
  })
}

export function buildTlds() {
  return [
    { name: 'de', description: 'Deutschland', relevance: 1 },
    { name: 'eu', description: 'Europäische Union', relevance: 2 },
    { name: 'org', description: 'Vereine und Stiftungen', relevance: 1 },
    { name: 'info', description: null, relevance: 4 },
    { name: 'bayern', description: 'Freistaat Bayern', relevance: 3 },
    { name: 'cz', description: 'Česko', relevance: 3 },
  ]
}

export function buildSysdomains() {
  const plain = { description: null, options: null }
  return [
    { ...plain, tld: 'org', domain: 'crearis-beispiel', subdomain: '' },
    {
      ...plain,
      tld: 'org',
      domain: 'crearis-beispiel',
      subdomain: 'projekte',
      options: { tls: true, ports: [443, 8443] },
    },
    { ...plain, tld: 'de', domain: 'buehnen-beispiel', subdomain: '', description: 'Für Schulen' },
    { ...plain, tld: 'bayern', domain: 'spielorte-beispiel', subdomain: null },
    { ...plain, tld: 'cz', domain: 'divadla-priklad', subdomain: '' },
  ]
}

/**
 * One domain for every project that names one; `sysdomain` is the string that the database computes. One project stands under
 * nobody's domain but its own.
 */
export function buildDomains(projects: readonly ProjectRow[]) {
  const dice = new Dice('domains')
  return projects.flatMap((project) => {
    if (project.domain === null) return []
    const isCzech = project.regio === 'boehmen'
    const [sysdomain, tld]: readonly [string | null, string] = isCzech
      ? ['divadla-priklad', 'cz']
      : project.domaincode === 'zweite_probe'
        ? [null, 'org']
        : dice.pick([['projekte.crearis-beispiel', 'org'] as const, ['buehnen-beispiel', 'de'] as const])
    const description = dice.pick([null, '', `Adresse von ${project.name}`])
    return [
      { textdomain: project.domain, sysdomain, tld, admin: project.owner, project: project.domaincode, description },
    ]
  })
}
