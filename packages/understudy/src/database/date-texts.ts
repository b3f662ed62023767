import { dateOf, dateText } from './calendar.js'

/** `2026-11-22` */
export const DATE_BYTES = 10
/** In whole words. */
const ROOM = 12
const WORD_BYTES = 4
/** More days than in five years. */
const KEPT = 2048
/** The years 1 to 9999, which have four digits and no more to say. */
const FIRST_DAY = -730_119
const LAST_DAY = 2_921_939

/** Dates of ten characters, in days since 2000-01-01. What a day was written as is kept for the next of its kind: most times share their days with others. */
export class DateTexts {
  readonly #days = new Int32Array(KEPT).fill(FIRST_DAY - 1)
  readonly #texts = new Uint8Array(KEPT * ROOM)
  readonly #words = new DataView(this.#texts.buffer)

  static has(days: number): boolean {
    return days >= FIRST_DAY && days <= LAST_DAY
  }

  /** Touches two bytes behind the date too. */
  write(days: number, out: DataView, at: number): void {
    const slot = days & (KEPT - 1)
    const from = slot * ROOM
    if (this.#days[slot] !== days) {
      this.#texts.set(Buffer.from(dateText(dateOf(days))), from)
      this.#days[slot] = days
    }
    for (let byte = 0; byte < ROOM; byte += WORD_BYTES) out.setInt32(at + byte, this.#words.getInt32(from + byte))
  }
}
