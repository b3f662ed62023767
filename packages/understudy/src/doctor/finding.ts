/** What a person may want to do with a database. `replace` is the import into one that is in use, `init` into one without content. */
export type Ability = 'export' | 'init' | 'replace' | 'migrate'

export const ABILITIES: readonly Ability[] = ['export', 'init', 'replace', 'migrate']
export const IMPORTS: readonly Ability[] = ['init', 'replace']

export type Topic =
  | 'node'
  | 'connection'
  | 'server'
  | 'privileges'
  | 'pooler'
  | 'settings'
  | 'encoding'
  | 'collations'
  | 'extensions'
  | 'row security'
  | 'event triggers'
  | 'locks'
  | 'disk'
  | 'model'
  | 'configuration'
  | 'migrations'

/** One thing that was looked at. */
export interface Finding {
  readonly topic: Topic
  /** `bad` prevents something, `warning` may. */
  readonly state: 'good' | 'warning' | 'bad'
  /** One fact, in lower case. */
  readonly message: string
  /** What to do, as a sentence; null where all is well. */
  readonly remedy: string | null
  /** What will not work because of it. */
  readonly prevents: readonly Ability[]
}

export function good(topic: Topic, message: string): Finding {
  return { topic, state: 'good', message, remedy: null, prevents: [] }
}

export function warning(topic: Topic, message: string, remedy: string): Finding {
  return { topic, state: 'warning', message, remedy, prevents: [] }
}

export function bad(topic: Topic, prevents: readonly Ability[], message: string, remedy: string): Finding {
  return { topic, state: 'bad', message, remedy, prevents }
}

/** `a, b, c and 4 more`. */
export function some(names: readonly string[]): string {
  const SHOWN = 8
  const shown = names.slice(0, SHOWN).join(', ')
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown
}
