import { arrayJson, type ElementKind } from './array-value.js'
import { escapedJson } from './escaped-json.js'
import type { Lookup } from './lookup.js'
import type { Kind, Rendering } from './rendered-types.js'
import { ValueWriter } from './value-writer.js'
import { Words } from './words.js'

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const NINE = 0x39
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

export const NULL = new Words('null')
const TRUE = new Words('true')
const FALSE = new Words('false')

/** What comes in place of a value's length where it is null. */
export const NO_VALUE = -1
/** In front of a jsonb's text stands the number of its format. */
export const FORMAT_BYTES = 1
/** Of an array: dimensions, whether there are nulls, the type of the elements; then length and lower bound of each dimension. */
const LOWER_BOUND_AT = 16
const ELEMENTS_AT = 20

/** Writes the values of a row's columns as JSON. */
export class ValueRenderer extends ValueWriter {
  readonly #kinds: readonly Kind[]
  readonly #lookups: readonly (Lookup | undefined)[]
  readonly #elements: readonly (ElementKind | undefined)[]

  constructor(columns: readonly Rendering[], source: Buffer, capacity: number) {
    super(source, capacity)
    this.#kinds = columns.map(({ kind }) => kind)
    this.#lookups = columns.map(({ lookup }) => lookup)
    this.#elements = columns.map(({ element }) => element)
  }

  /** Writes a value that is no null. Returns its JSON instead where that takes more than a look at its bytes, which is rare. */
  render(column: number, from: number, to: number): Buffer | undefined {
    switch (this.#kinds[column]) {
      case 'string':
        return this.#quoted(from, to)
      case 'integer':
        return this.integer(from, to - from)
      case 'timestamp':
        return this.timestamp(from, '')
      case 'timestamptz':
        return this.timestamp(from, '+00:00')
      case 'boolean':
        return this.#boolean(from)
      case 'array':
        return this.#array(column, from, to)
      case 'escaped jsonb':
        return this.plainJson(from + FORMAT_BYTES, to) ? undefined : this.whole(column, this.source.subarray(from, to))
      case 'jsonb':
        return this.json(from + FORMAT_BYTES, to)
      case 'json':
        return this.json(from, to)
      case 'number':
        return this.#number(from, to)
      case 'date':
        return this.date(from)
      case 'uuid':
        return this.uuid(from)
      case 'key':
        return this.#lookUp(column, from, to)
    }
    return undefined
  }

  #quoted(from: number, to: number): undefined {
    this.byte(QUOTE)
    this.string(from, to)
    this.byte(QUOTE)
  }

  #boolean(from: number): undefined {
    this.put(this.source[from] === 0 ? FALSE : TRUE)
  }

  /** `NaN`, `Infinity` and `-Infinity` are strings in JSON. */
  #number(from: number, to: number): undefined {
    const first = this.source[this.source[from] === MINUS ? from + 1 : from] as number
    if (first > NINE) this.#quoted(from, to)
    else this.json(from, to)
  }

  #lookUp(column: number, from: number, to: number): undefined {
    const end = this.#lookups[column]?.write(this.source, from, to, this.view, this.used) ?? -1
    if (end < 0) this.put(NULL)
    else this.used = end
  }

  #array(column: number, from: number, to: number): Buffer | undefined {
    const view = this.sourceView
    const element = this.#elements[column]
    const dimensions = view.getInt32(from)
    if (dimensions > 1 || (dimensions === 1 && view.getInt32(from + LOWER_BOUND_AT) !== 1))
      return this.whole(column, this.source.subarray(from, to))
    this.byte(OPEN_BRACKET)
    for (let at = from + ELEMENTS_AT; at < to; ) {
      const length = view.getInt32(at)
      at += 4
      if (length === NO_VALUE) this.put(NULL)
      else if (element === 'string') this.#quoted(at, at + length)
      else if (element === 'integer') this.integer(at, length)
      else this.#boolean(at)
      at += Math.max(0, length)
      if (at < to) this.byte(COMMA)
    }
    this.byte(CLOSE_BRACKET)
    return undefined
  }

  /** Whether all of a value has to be there before its first byte can be written, however long it is. */
  isWhole(column: number): boolean {
    const kind = this.#kinds[column]
    return kind === 'array' || kind === 'escaped jsonb'
  }

  /** The JSON of such a value. */
  whole(column: number, value: Buffer): Buffer {
    const element = this.#elements[column]
    if (element === undefined) return escapedJson(value.subarray(FORMAT_BYTES))
    return Buffer.from(arrayJson(value, element), 'latin1')
  }
}
