const HIDDEN = '***'

/**
 * Takes passwords out of a text: in every URL, every `password=…` and every SQL `password '…'` it contains, and, where `url` is given,
 * that URL's own password wherever it stands, percent-encoded or not.
 */
export function redact(text: string, url?: string): string {
  let redacted = text
  for (const secret of url === undefined ? [] : secretsOf(url)) redacted = redacted.replaceAll(secret, HIDDEN)
  return (
    redacted
      // Up to the last @ before a blank or a quote: a password that was not encoded may hold @ and / itself.
      // One slash: a URL that was taken for a path. Other schemes are slips of the pen, or a proxy's, but not a port and a path.
      .replaceAll(/(postgres(?:ql)?:\/{1,2}[^\s:@/?'"]*):[^\s'"]*@/gi, `$1:${HIDDEN}@`)
      .replaceAll(/(\b[a-z][a-z0-9+.-]*:\/{1,2}[^\s:@/?'"]+):(?!\d+\/)[^\s/'"]*@/gi, `$1:${HIDDEN}@`)
      .replaceAll(/\b((?:ssl)?password\s*=\s*)('[^']*'|"[^"]*"|[^\s&'"]+)/gi, `$1${HIDDEN}`)
      .replaceAll(/\b(password\s+)'(?:[^']|'')*'/gi, `$1'${HIDDEN}'`)
  )
}

/** A copy of an error without the password of `url`; the error itself where it does not hold one. */
export function redactError(error: Error, url: string): Error {
  const hasSecret = Object.getOwnPropertyNames(error).some((name) => {
    const value: unknown = Reflect.get(error, name)
    return typeof value === 'string' && redact(value, url) !== value
  })
  if (!hasSecret) return error
  const copy = new Error(redact(error.message, url))
  copy.name = error.name
  copy.stack = redact(error.stack ?? '', url)
  return copy
}

/**
 * The spellings of a URL's password, longest first. Left out is what cannot be told from ordinary words: fewer than three
 * characters, or the same as the role, the host or the database (`postgres:postgres@…` would blank out every message).
 */
function secretsOf(url: string): string[] {
  const inAuthority = /^[a-z]+:\/\/([^:@/?]*):(.*)@([^@]*)$/is.exec(url)
  const inQuery = [...url.matchAll(/[?&](?:ssl)?password=([^&]*)/gi)].map((match) => match[1])
  const others = new Set([inAuthority?.[1], ...(inAuthority?.[3] ?? '').split(/[:/?]/)])
  const spellings = [inAuthority?.[2], ...inQuery].flatMap((raw) =>
    raw ? [raw, decoded(raw), encodeURIComponent(decoded(raw))] : [],
  )
  return [...new Set(spellings)]
    .filter((spelling) => spelling.length >= 3 && !others.has(spelling))
    .sort((a, b) => b.length - a.length)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
