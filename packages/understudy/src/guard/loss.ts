import { UnderstudyError } from '../errors.js'

/** Something that held data and would not hold it any more. */
export interface Loss {
  readonly kind: 'relation' | 'column' | 'attribute' | 'partition' | 'rows' | 'values'
  /** The exact word that allows it: `events`, `events.old_status`, `image_shape.alt`. */
  readonly word: string
  /** What happens to how many, for people. */
  readonly description: string
  /** Rows, or values, concerned. */
  readonly count: number
  /** The identities of up to five rows concerned. */
  readonly samples: readonly string[]
}

export const MAX_SAMPLES = 5

/** The losses that no word allows. A word may name the schema `public` or leave it out. */
export function findForbidden(losses: readonly Loss[], allowed: readonly string[]): Loss[] {
  const words = new Set(allowed.map((word) => word.replace(/^public\./, '')))
  return losses.filter(({ word }) => !words.has(word))
}

/** One line for people: `events.old_status: the column goes, with 3 values: "a", "b", "c"`. */
export function describeLoss({ word, description, count, samples }: Loss): string {
  const some = samples.length === 0 ? '' : `: ${samples.join('; ')}${count > samples.length ? '; …' : ''}`
  return `${word}: ${description}${some}`
}

/**
 * Stops a migration that would lose what nothing allows it to lose.
 *
 * Error: DATA_LOSS with every loss, sample rows, and the words that allow them.
 */
export function refuseLosses(losses: readonly Loss[], allowed: readonly string[]): void {
  const forbidden = findForbidden(losses, allowed)
  if (forbidden.length === 0) return
  const words = [...new Set(forbidden.map(({ word }) => word))]
  const list = words.map((word) => `'${word.replaceAll("'", String.raw`\'`)}'`).join(', ')
  const once = words.map((word) => `--allow-loss ${shellWord(word)}`).join(' ')
  const what = forbidden.length === 1 ? 'data' : `data in ${forbidden.length} places`
  throw new UnderstudyError('DATA_LOSS', `it would lose ${what}`, {
    detail: forbidden.map(describeLoss).join('\n'),
    hint: `Nothing was changed. If this is meant, write allowLoss: [${list}] into the migration (in SQL \`-- migrate: allow-loss ${words.join(', ')}\`), or say it once: ${once}`,
  })
}

function shellWord(word: string): string {
  return /^[\w.-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
