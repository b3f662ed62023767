/** Numbers that look random and are the same on every machine (mulberry32). */
export class Dice {
  #state: number

  constructor(seed: string) {
    this.#state = [...seed].reduce(
      (hash, letter) => Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193),
      0x811c9dc5,
    )
  }

  /** From 0 up to, not including, 1. */
  roll(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }

  /** A whole number, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.roll() * (to - from + 1))
  }

  isLucky(chance: number): boolean {
    return this.roll() < chance
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.int(0, list.length - 1)]
    if (item === undefined) throw new Error('there is nothing to pick from')
    return item
  }

  /** Some items in their own order, each at most once. */
  some<T>(list: readonly T[], count: number): T[] {
    const places = list.map((_, place) => ({ place, rank: this.roll() })).toSorted((a, b) => a.rank - b.rank)
    const chosen = new Set(places.slice(0, count).map(({ place }) => place))
    return list.filter((_, place) => chosen.has(place))
  }

  text(alphabet: string, length: number): string {
    return Array.from({ length }, () => this.pick([...alphabet])).join('')
  }

  uuid(): string {
    const hex = this.text('0123456789abcdef', 30)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-a${hex.slice(15, 18)}-${hex.slice(18)}`
  }

  /** A timestamp without time zone, to the microsecond, on a day of the year. */
  moment(year: number): string {
    const day = new Date(Date.UTC(year, 0, 1 + this.int(0, 300))).toISOString().slice(0, 10)
    const two = (to: number) => String(this.int(0, to)).padStart(2, '0')
    return `${day} ${two(23)}:${two(59)}:${two(59)}.${String(this.int(1, 999_999)).padStart(6, '0')}`
  }
}

/** As a domaincode or the tail of an xmlid: lower case, umlauts written out. */
export function slug(text: string): string {
  const plain = text
    .toLowerCase()
    .replaceAll('ä', 'ae')
    .replaceAll('ö', 'oe')
    .replaceAll('ü', 'ue')
    .replaceAll('ß', 'ss')
    .replaceAll('ı', 'i')
  return plain
    .normalize('NFD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '')
}
