import { Dice } from './dice.js'

/** First byte: who may see the image, and what is wrong with it (see the comment on images.ctags). */
const CTAGS = ['\\x10', '\\x10', '\\x20', '\\x30', '\\x50', '\\x91', '\\x00', '\\x7b0aff'] as const
const RTAGS = ['\\x00', '\\x01', '\\xfffe', '\\x'] as const
const LICENSES = ['BY', 'BY-SA', 'CC0', 'BY-NC', 'unsplash', 'private', 'undefined'] as const

export type ImageRow = ReturnType<typeof buildImages>[number]

/** One title image for each project, the rest of persons; two of five are variations of the one before, so some have a grandparent. */
export function buildImages(
  count: number,
  projects: readonly string[],
  owners: readonly string[],
  persons: readonly string[],
) {
  const dice = new Dice('images')
  const titles = projects.map((domaincode) => ({ domaincode, xmlid: `${domaincode}.image.titel-1` }))
  const portraits = persons.map((xmlid) => ({ domaincode: 'tp', xmlid }))
  const scenes = Array.from({ length: count - titles.length - portraits.length }, (_, index) => {
    const domaincode = projects[(index * 3) % projects.length] ?? 'tp'
    return { domaincode, xmlid: `${domaincode}.image.szene-${String(index + 1).padStart(2, '0')}` }
  })
  const all = [...titles, ...portraits, ...scenes]
  return all.map(({ domaincode, xmlid }, index) => {
    const shape = (width: number, height: number) => ({
      x: dice.int(0, width) / 10,
      y: dice.int(0, height) / 10,
      z: dice.pick(['1.00', '1.10', '2']),
      url: `https://bilder.example/${xmlid}_${width}x${height}.webp`,
      json: dice.pick([null, { focus: 'face', tags: ['Bühne', null] }]),
      blur: dice.text('LKNRj[WB%M{}o#,;', 12),
      turl: null,
      tpar: dice.pick([null, '', 'w=200&h=100']),
    })
    const hasParent = index % 5 >= 3
    return {
      xmlid,
      name: `${dice.pick(['Probe', 'Szene', 'Publikum', 'Porträt'])} ${index + 1}`,
      url: `https://bilder.example/${xmlid}.jpg`,
      project: dice.isLucky(0.95) ? domaincode : null,
      status: dice.pick(['done', 'draft', 'demo', 'new']),
      owner: dice.isLucky(0.8) ? dice.pick(owners) : null,
      alt_text: dice.pick(['Drei Kinder mit Masken', 'Leere Bühne', '', null]),
      title: dice.pick(['„Der Sturm“, Probe', null]),
      date: dice.moment(2024),
      geo: dice.pick([null, { lat: 49.51, lon: 11.28 }, { lat: '49.5100', place: 'Lauf' }]),
      x: dice.pick([1920, 4000]),
      y: dice.pick([1080, 3000]),
      shape_wide: dice.isLucky(0.8) ? shape(1600, 900) : null,
      shape_square: dice.isLucky(0.8) ? shape(800, 800) : null,
      shape_vertical: dice.isLucky(0.4) ? shape(600, 900) : null,
      shape_thumb: dice.isLucky(0.9) ? shape(200, 200) : null,
      fileformat: dice.pick(['jpeg', 'webp', 'png', 'none']),
      embedformat: dice.isLucky(0.1) ? 'mp4' : null,
      license: dice.pick(LICENSES),
      length: dice.isLucky(0.1) ? dice.int(10, 300) : null,
      about: dice.pick(['', null, 'Foto: privat\nNutzung nur "hausintern"']),
      author: {
        adapter: 'crearis',
        file_id: `0${dice.int(100, 999)}`,
        account_id: null,
        folder_id: '',
        info: 'Foto, "gestellt"',
        config: null,
      },
      producer: null,
      publisher: dice.isLucky(0.3) ? { adapter: 'cloudinary', file_id: `v1/${index}`, config: { secure: true } } : null,
      parent: hasParent ? (all[index - 1]?.xmlid ?? null) : null,
      alike: hasParent
        ? [all[index - 2], all[index - 3]].flatMap((image) => (image === undefined ? [] : [image.xmlid]))
        : [],
      use_player: dice.isLucky(0.1),
      ctags: dice.pick(CTAGS),
      rtags: dice.pick(RTAGS),
      created_at: dice.moment(2024),
      updated_at: dice.moment(2025),
    }
  })
}
