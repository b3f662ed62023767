const KEY = '$json'

/**
 * The text of a jsonb value as it travels: JSON null and whatever holds the key `$json` at its top inside of an object with that key. It is what
 * `case when value ? '$json' or value = 'null' then jsonb_build_object('$json', value) else value end` makes of the value, where `?` also finds a text in an
 * array, and a text alone.
 */
export function escapedJson(text: Buffer): Buffer {
  if (!mustBeEscaped(text)) return Buffer.from(text)
  return Buffer.concat([Buffer.from(`{"${KEY}": `), text, Buffer.from('}')])
}

function mustBeEscaped(text: Buffer): boolean {
  if (text.length === 4 && text.toString() === 'null') return true
  if (!text.includes(`"${KEY}"`)) return false
  // Which keys there are is all that is asked of it; of the text, nothing is changed.
  const value: unknown = JSON.parse(text.toString('latin1'))
  if (Array.isArray(value)) return value.includes(KEY)
  return value === KEY || (typeof value === 'object' && value !== null && Object.hasOwn(value, KEY))
}
