import { Dice, slug } from './dice.js'
import { CITIES } from './people.js'

// biome-ignore format: a list of words
const LOCATIONS = [
  'Theaterwerk Lauf', 'Jugendhaus Rampe', 'Schlosshof Köpfling', 'Alte Gießerei', 'Aula der Isarschule', 'Haus am Kanal',
  'Stadtsaal Görlitz', 'Werkstatt Fürth', 'Divadlo Most', 'Turnhalle Süd', 'Kulturscheune Ängbach', 'Zeche Drei, Halle 2',
  'Pfarrsaal St. Veit', 'Probebühne Nord', 'Zirkuszelt am Fluss', 'Bürgerhaus Übersee', 'Kellertheater', 'Stadtpark Pirna',
  'Bibliothek Plzeň', 'Online-Raum „Foyer“',
]
// biome-ignore format: a list of words
const EVENTS = [
  'Sommerwoche Schattenspiel', 'Masken bauen', 'Masken spielen', 'Improvisation für Mutige', 'Fachtag Schule & Bühne',
  'Chorisches Sprechen', 'Figurentheater ab 6', 'Märchen neu erzählt', 'Clown – der rote Punkt', 'Tanz und Text',
  'Offene Bühne', 'Hörspielwerkstatt', 'Theater im Park', 'Schreibtisch Dramatik', 'Regie für Einsteiger',
  'Licht und Ton', 'Bühnenkampf', 'Stimme!', 'Premiere „Der Sturm“', 'Loutky: Faden und Stab', 'Elternabend',
  'Workshop Kostüm', 'Probenwochenende', 'Generationentheater', 'Nachgespräch',
]
// biome-ignore format: a list of words
const POSTS = [
  'Was Kinder über Könige wissen', 'Drei Übungen für kalte Tage', 'Ein Brief aus Plzeň', 'Warum wir leise proben',
  'Die Maske lügt nicht', 'Rückblick: Fachtag', 'Neue Gesichter im Team',
]

export function buildLocations(projects: readonly string[], images: readonly string[]) {
  const dice = new Dice('locations')
  return LOCATIONS.map((name, index) => {
    const [city, zip, country] = dice.pick(CITIES)
    // One xmlid keeps its umlaut, as the real one does: identities are any text.
    const xmlid = name === 'Schlosshof Köpfling' ? '_demo.location_schlosshof_köpfling' : `_demo.location_${slug(name)}`
    return {
      xmlid,
      name,
      phone: dice.pick([`0${dice.int(200, 9999)}/${dice.text('0123456789', 5)}`, null, '']),
      email: dice.isLucky(0.6) ? `haus@${slug(name).replaceAll('_', '-')}.example` : null,
      city,
      zip,
      street: `${dice.pick(['Am Bühl', 'Lößstraße', 'Große Gasse', 'Náměstí Míru'])} ${dice.int(1, 90)}${dice.pick(['', 'a', ' 1/2'])}`,
      country,
      is_company: dice.pick(['true', 'false', '', null]),
      category_id: '_tp.location_tag',
      cimg: dice.isLucky(0.5) ? `https://bilder.example/orte/${index + 1}.jpg` : null,
      header_type: dice.pick(['simple', 'cover', null]),
      header_size: dice.pick(['small', null]),
      md: `**Anfahrt**\n\n- Bus ${dice.int(1, 60)}\n- zu Fuß ${dice.int(2, 15)} min\n\n| Platz | m² |\n|---|---|\n| Bühne | 0${dice.int(10, 99)} |\n`,
      is_location_provider: dice.pick(['true', 'false', null]),
      event_xmlid: null as string | null,
      version_id: dice.isLucky(0.5) ? 'v1.0.3' : null,
      status: dice.pick(['active', 'public', 'new', 'archived', null]),
      project: dice.isLucky(0.7) ? dice.pick(projects) : null,
      isbase: index < 10 ? 1 : 0,
      lang: country === 'base.cz' ? 'cz' : 'de',
      image: dice.isLucky(0.4) ? dice.pick(images) : null,
      created_at: dice.moment(2024),
      updated_at: dice.pick([null, '', '2025-10-02 09:00']),
    }
  })
}

export interface EventParts {
  readonly projects: readonly string[]
  readonly users: readonly string[]
  /** Who may answer for a published event: instructors that are users. */
  readonly hosts: readonly string[]
  readonly locations: readonly string[]
  readonly images: readonly string[]
}

/** The first has a child and a grandchild, and is the template of two more. */
export function buildEvents({ projects, users, hosts, locations, images }: EventParts) {
  const dice = new Dice('events')
  const xmlids = EVENTS.map((name) => `_demo.event_${slug(name)}`)
  return EVENTS.map((name, index) => {
    const day = String(dice.int(1, 28)).padStart(2, '0')
    const month = String(dice.int(1, 12)).padStart(2, '0')
    const place = dice.pick(locations)
    const isPublished = dice.isLucky(0.6)
    return {
      xmlid: xmlids[index] ?? name,
      name,
      date_begin: dice.pick([
        `2026-${month}-${day} 10:00`,
        `${day}.${month}.2026`,
        `2026-${month}-${day}T10:00:00+01:00`,
      ]),
      date_end: dice.isLucky(0.2) ? '' : `2026-${month}-${day} 16:30`,
      address_id: dice.isLucky(0.9) ? place : null,
      user: dice.pick(users),
      seats_max: dice.isLucky(0.8) ? dice.int(6, 120) : null,
      cimg: dice.isLucky(0.6) ? `https://bilder.example/events/${index + 1}.jpg` : null,
      header_type: dice.pick(['banner', 'simple', null]),
      rectitle: dice.pick([`**${name}** für Anfänger`, '', null]),
      teaser: `${name}: ein Tag mit viel Bewegung und wenig Text.` as string | null,
      event_xmlid: index === 1 || index === 2 ? (xmlids[index - 1] ?? null) : null,
      version_id: index < 21 ? 'v1.0.3' : null,
      created_at: dice.moment(2025),
      updated_at: dice.pick(['2025-10-20T07:00:00.000001Z', null]) as string | null,
      legacy_status: isPublished
        ? dice.pick(['publish', 'released', 'confirmed'])
        : dice.pick(['draft', 'new', null, '']),
      isbase: index < 21 ? 1 : 0,
      template: index === 3 || index === 4 ? (xmlids[0] ?? null) : null,
      host: isPublished || dice.isLucky(0.5) ? dice.pick(hosts) : null,
      location: dice.isLucky(0.8) ? place : null,
      event_type: dice.pick(['workshop', 'kurs', 'event.event_type_online', null]),
      md: `# ${name}\n\nWir beginnen um *10 Uhr*.\n\n> "Wer spielt, hat recht."\n\n- bequeme Kleidung 👟\n- Pausenbrot\n`,
      html: `<p>${name} &ndash; <em>"Wer spielt, hat recht."</em></p>\r\n`,
      status: dice.pick(['draft', 'publish', 'released', 'confirmed', 'running', 'passed', 'documented', 'new', null]),
      lang: dice.pick(['de', 'de', 'de', 'en', 'cz', null]),
      project: dice.isLucky(0.9) ? dice.pick(projects) : null,
      image: dice.isLucky(0.6) ? dice.pick(images) : null,
    }
  })
}

export function buildPosts(
  count: number,
  parts: EventParts & { readonly events: readonly string[]; readonly authors: readonly string[] },
) {
  const dice = new Dice('posts')
  const xmlids = Array.from({ length: count }, (_, index) => `_demo.post_${String(index + 1).padStart(3, '0')}`)
  return xmlids.map((xmlid, index) => {
    const title = POSTS[index % POSTS.length] ?? ''
    return {
      xmlid,
      name: index < POSTS.length ? title : `${title} (${Math.floor(index / POSTS.length) + 1})`,
      subtitle: dice.pick(['Aus der Werkstatt', '', null]),
      teaser: dice.pick(['Ein kurzer Bericht.', 'Fragen & Antworten – "ganz ehrlich"', null]),
      author_id: dice.isLucky(0.8) ? dice.pick(parts.authors) : null,
      blog_id: 'blog.blog_1',
      tag_ids: dice.pick(['website_blog.tag_1,website_blog.tag_2', '', null]),
      website_published: dice.pick(['true', 'false']),
      is_published: dice.pick(['1', '0', null]),
      post_date: dice.pick([`2025-0${dice.int(1, 9)}-15`, `15.0${dice.int(1, 9)}.2025`, '1.10']),
      cover_properties: '{"background-image": "none", "opacity": "0.20"}',
      event_xmlid: dice.isLucky(0.5) ? dice.pick(parts.events) : null,
      cimg: dice.isLucky(0.5) ? `https://bilder.example/posts/${index + 1}.jpg` : null,
      version_id: index < 30 ? 'v1.0.3' : null,
      created_at: dice.moment(2025),
      updated_at: null as string | null,
      legacy_status: dice.pick(['draft', 'publish', null, '']),
      isbase: index < 30 ? 1 : 0,
      template: index === 30 ? (xmlids[0] ?? null) : null,
      host: dice.isLucky(0.4) ? dice.pick(parts.hosts) : null,
      header_type: dice.pick(['simple', 'banner', null]),
      md: `## ${title}\n\nEs war einmal …\n\n\\*kein Stern\\*, aber 100 % „echt“ — und ein 🎪 \t(mit Tabulator).\n`,
      html: dice.isLucky(0.7) ? `<h2>${title}</h2><p>It's &lt;5 Minuten&gt;.</p>` : '',
      status: dice.pick(['draft', 'publish', 'released', 'new', null]),
      lang: dice.pick(['de', 'de', 'en', 'cz']),
      project: dice.isLucky(0.9) ? dice.pick(parts.projects) : null,
      image: dice.isLucky(0.5) ? dice.pick(parts.images) : null,
    }
  })
}

const TAGS: readonly (readonly [string, string, string])[] = [
  ['adult', 'Erwachsene', 'Dospělí'],
  ['child', 'Kinder', 'Děti'],
  ['location', 'Ort', 'Místo'],
  ['teen', 'Jugendliche', 'Mládež'],
  ['mask', 'Maske', 'Maska'],
  ['music', 'Musik', 'Hudba'],
  ['outdoor', 'draußen', 'venku'],
  ['puppet', 'Figuren', 'Loutky'],
  ['school', 'Schule', 'Škola'],
  ['voice', 'Stimme', 'Hlas'],
]

export function buildTags() {
  return TAGS.map(([name, de, cz]) => ({
    name,
    description: name === 'outdoor' ? '' : name === 'voice' ? null : `Für ${de}`,
    name_i18n: { de, cz },
    desc_i18n: name === 'voice' ? null : { de: `Für ${de}`, cz },
  }))
}

/** Pairs of an owner and some of the others, for junctions. */
export function buildPairs(seed: string, owners: readonly string[], others: readonly string[], most: number) {
  const dice = new Dice(seed)
  return owners.flatMap((owner) =>
    dice.some(others, dice.int(0, most)).map((other) => ({ owner, other, created_at: dice.moment(2025) })),
  )
}
