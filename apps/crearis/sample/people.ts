import { Dice, slug } from './dice.js'

// biome-ignore format: a list of words
const FIRST_NAMES = [
  'Änne', 'Björn', 'Cem', 'Dörte', 'Eliška', 'Fenja', 'Götz', 'Hülya', 'Ingo', 'Jördis', 'Karel', 'Lea', 'Malte', 'Nadja',
  'Özlem', 'Pavel', 'Quirin', 'Rosa', 'Sönke', 'Tereza', 'Ulla', 'Veit', 'Wiebke', 'Xaver', 'Yannick', 'Zdenka',
]
// biome-ignore format: a list of words
const LAST_NAMES = [
  'Ackermann', 'Böhnlein', 'Çakır', 'Dvořáková', 'Eßwein', 'Fröhlich', 'Großmann', 'Häberle', 'Iwersen', 'Jäger', 'Köster',
  'Lößl', 'Müller', 'Novák', 'Öhlschläger', "O'Dowd", 'Prüfer', 'Quandt', 'Rößner', 'Süß', 'Thürmer', 'Ünal', 'Vogt',
  'Weiß', 'Ziegenrücker',
]

/** Cities with their zips; in the east of Germany these begin with a zero. */
export const CITIES: readonly (readonly [string, string, string])[] = [
  ['Lauf an der Pegnitz', '91207', 'base.de'],
  ['Fürth', '90762', 'base.de'],
  ['München', '80331', 'base.de'],
  ['Görlitz', '02826', 'base.de'],
  ['Pirna', '01796', 'base.de'],
  ['Dresden', '01067', 'base.de'],
  ['Duisburg', '47051', 'base.de'],
  ['Köln', '50667', 'base.de'],
  ['Plzeň', '301 00', 'base.cz'],
  ['Linz', '4020', 'base.at'],
]

const REGIONS = ['nordbayern', 'suedbayern', 'boehmen', 'rhein_ruhr'] as const

export type UserRow = ReturnType<typeof buildUsers>[number]
export type InstructorRow = ReturnType<typeof buildInstructors>[number]

/** Names repeat, addresses do not. The hashes only look like bcrypt: no password fits them. */
export function buildUsers(count: number) {
  const dice = new Dice('users')
  const taken = new Map<string, number>()
  return Array.from({ length: count }, (_, index) => {
    const name = `${dice.pick(FIRST_NAMES)} ${dice.pick(LAST_NAMES)}`
    const handle = slug(name).replaceAll('_', '.')
    const times = (taken.get(handle) ?? 0) + 1
    taken.set(handle, times)
    const local = times === 1 ? handle : `${handle}${times}`
    return {
      sysmail: `${local}@crearis.example`,
      extmail: dice.isLucky(0.4) ? `${local}@${dice.pick(['post.example', 'mail.example'])}` : null,
      username: name,
      password: `$2b$10$${dice.text('./ABCDEFGHabcdefgh0123456789', 53)}`,
      role: index < 2 ? 'admin' : index < 6 ? 'base' : 'user',
      status: dice.pick(['verified', 'activated', 'public', 'synced', 'new', null]),
      lang: dice.pick(['de', 'de', 'de', 'de', 'en', 'cz']),
      instructor: null as string | null,
      participant: null as string | null,
      image: null as string | null,
      created_at: dice.moment(2024),
      updated_at: dice.moment(2025),
    }
  })
}

/** Two kinds of xmlids: demo people are numbered, partners are named after their region. */
export function buildInstructors(count: number) {
  const dice = new Dice('instructors')
  return Array.from({ length: count }, (_, index) => {
    const name = `${FIRST_NAMES[index % FIRST_NAMES.length]} ${LAST_NAMES[(index * 7) % LAST_NAMES.length]}`
    const isDemo = index < 8
    const [city, , country] = dice.pick(CITIES)
    return {
      xmlid: isDemo
        ? `_demo.instructor_${String(index + 1).padStart(2, '0')}`
        : `${dice.pick(REGIONS)}.partner.${slug(name)}`,
      name,
      email: dice.isLucky(0.8) ? `${slug(name)}@lehre.example` : '',
      phone: dice.isLucky(0.7) ? `0${dice.int(30, 999)} ${dice.text('0123456789', 6)}` : null,
      city,
      country,
      cimg: isDemo ? `https://bilder.example/personen/${index + 1}.jpg` : null,
      description: dice.pick([
        'Theaterpädagogin (BuT), Schwerpunkt Maske.',
        'Spielt, baut und erzählt.\nHunde willkommen 🐕',
        'Regie & Dramaturgie; „am liebsten draußen“.',
        '',
      ]),
      event_xmlid: null as string | null,
      version_id: isDemo ? 'v1.0.3' : null,
      status: dice.pick(['active', 'public', 'new', null]),
      multiproject: dice.isLucky(0.8) ? 'yes' : 'no',
      header_type: dice.pick(['simple', 'banner', null]),
      header_size: dice.pick(['small', 'large', null]),
      md: `## Über ${name}\n\n1. Ausbildung\n2. Bühne\n\n\`\`\`\nProbe: 10–13 Uhr\n\`\`\`\n`,
      html: dice.isLucky(0.5) ? `<p>${name} probt &quot;immer&quot; gern.</p>` : null,
      isbase: isDemo ? 1 : 0,
      lang: dice.pick(['de', 'de', 'cz']),
      image: index % 3 === 0 ? `tp.image.person-${index + 1}` : null,
      created_at: dice.moment(2024),
      updated_at: dice.isLucky(0.5) ? '2025-10-01' : null,
    }
  })
}

/** As many children as teenagers and adults. */
export function buildParticipants(count: number, events: readonly string[]) {
  const dice = new Dice('participants')
  const kinds = [
    ['child', 6, 12],
    ['teen', 13, 19],
    ['adult', 20, 78],
  ] as const
  return Array.from({ length: count }, (_, index) => {
    const [type, youngest, oldest] = kinds[Math.floor((index * kinds.length) / count)] ?? kinds[0]
    const [city, , country] = dice.pick(CITIES)
    return {
      xmlid: `_demo.${type}_${String((index % Math.ceil(count / kinds.length)) + 1).padStart(3, '0')}`,
      name: `${dice.pick(FIRST_NAMES)} ${dice.pick(LAST_NAMES)}`,
      age: dice.isLucky(0.9) ? dice.int(youngest, oldest) : null,
      city,
      country: dice.isLucky(0.9) ? country : null,
      cimg: null,
      description: dice.pick([
        '',
        null,
        'Mag keine Äpfel, sagt „nie wieder Pyramide“.',
        'Allergie: Nüsse; Notruf 0176 0001122',
      ]),
      event_xmlid: dice.isLucky(0.8) ? dice.pick(events) : null,
      type,
      version_id: dice.isLucky(0.5) ? 'v1.0.3' : null,
      status: dice.pick(['active', 'new', 'archived', null]),
      lang: dice.pick(['de', 'de', 'en', 'cz']),
      created_at: dice.moment(2025),
      updated_at: null as string | null,
    }
  })
}

/** Which user is which instructor or participant. Admins teach nothing. */
export function linkUsers(
  users: readonly UserRow[],
  instructors: readonly InstructorRow[],
  participants: readonly { readonly xmlid: string }[],
  images: readonly string[],
): UserRow[] {
  return users.map((user, index) => ({
    ...user,
    instructor: index < 20 ? (instructors[index - 2]?.xmlid ?? null) : null,
    participant: index >= 40 && index < 46 ? (participants[(index - 40) * 7]?.xmlid ?? null) : null,
    image: index % 9 === 4 ? (images[index % images.length] ?? null) : null,
  }))
}
