/** How every record begins. */
export const RECORD_PREFIX = '{"master_id":'

const PREFIX = Buffer.from(RECORD_PREFIX)
const NUMBER_OR_WORD = /^(?:null|true|false|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/

const QUOTE = 0x22
const BACKSLASH = 0x5c
const NEEDS_MORE = -1
const INVALID = -2

/**
 * Where the master_id of the record at `from` ends. -1 where the bytes up to `to` do not hold all of it, -2 where they cannot begin a
 * record. Plain integers and plain strings, which is nearly all there is, are told by their bytes; anything else is parsed as JSON.
 */
export function masterIdEnd(bytes: Buffer, from: number, to: number): number {
  const valueFrom = from + PREFIX.length
  for (let at = from; at < valueFrom; at++) {
    if (at >= to) return NEEDS_MORE
    if (bytes[at] !== PREFIX[at - from]) return INVALID
  }
  if (valueFrom >= to) return NEEDS_MORE
  const first = bytes[valueFrom] as number
  if (first === QUOTE) return stringEnd(bytes, valueFrom, to)
  if (first === 0x5b || first === 0x7b) return nestedEnd(bytes, valueFrom, to)
  return scalarEnd(bytes, valueFrom, to)
}

function scalarEnd(bytes: Buffer, from: number, to: number): number {
  let isPlain = bytes[from] !== 0x30
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number
    if (byte === 0x2c || byte === 0x7d) {
      if (isPlain && at > from) return at
      return NUMBER_OR_WORD.test(bytes.toString('latin1', from, at)) ? at : INVALID
    }
    if (byte < 0x20) return INVALID
    if (byte < 0x30 || byte > 0x39) isPlain = false
  }
  return NEEDS_MORE
}

function stringEnd(bytes: Buffer, from: number, to: number): number {
  const end = closingQuote(bytes, from, to)
  if (end < 0) return end
  return bytes.subarray(from, end).includes(BACKSLASH) && !isJson(bytes, from, end) ? INVALID : end
}

/** Behind the string that opens at `from`. */
function closingQuote(bytes: Buffer, from: number, to: number): number {
  for (let at = from + 1; at < to; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) return at + 1
    if (byte < 0x20) return INVALID
    if (byte === BACKSLASH) at++
  }
  return NEEDS_MORE
}

/** An array (a key of several columns) or an object. */
function nestedEnd(bytes: Buffer, from: number, to: number): number {
  let depth = 0
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) {
      const end = closingQuote(bytes, at, to)
      if (end < 0) return end
      at = end - 1
    } else if (byte === 0x5b || byte === 0x7b) {
      depth++
    } else if (byte === 0x5d || byte === 0x7d) {
      depth--
      if (depth === 0) return isJson(bytes, from, at + 1) ? at + 1 : INVALID
    } else if (byte < 0x20) {
      return INVALID
    }
  }
  return NEEDS_MORE
}

function isJson(bytes: Buffer, from: number, to: number): boolean {
  try {
    JSON.parse(bytes.toString('utf8', from, to))
    return true
  } catch {
    return false
  }
}
