/** A name or a message as it may stand in a `//` comment: whatever would end the line is escaped. */
export function comment(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, escapeCharacter)
}

/** A literal of TypeScript, in single quotes, on one line. */
export function literal(text: string): string {
  const escaped = text.replace(/[\\']/g, '\\$&').replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, escapeCharacter)
  return `'${escaped}'`
}

/** A key of an object literal, quoted where it must be. */
export function key(name: string): string {
  return /^[a-z_$][\w$]*$/i.test(name) ? name : literal(name)
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
