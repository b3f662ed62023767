import type { Settings } from '../config/settings.js'
import { UnderstudyError } from '../errors.js'

/*
 * What `inspect` and `init` expect of the engine, until its own module stands: then the function gives way to an import of the real
 * one, the types to those that it declares.
 */

export interface Inspection {
  readonly database: string
  readonly relations: readonly InspectedRelation[]
  /** Each as its relations' names, and how it will be bound. */
  readonly cycles: readonly { readonly relations: readonly string[]; readonly binding: string }[]
  readonly warnings: readonly string[]
}

export interface InspectedRelation {
  readonly relation: string
  readonly rows: number
  readonly identity: { readonly kind: string; readonly columns: readonly string[]; readonly reason: string }
  readonly references: readonly string[]
  readonly notes: readonly string[]
}

export async function inspectDatabase(
  _settings: Settings,
  _options: { readonly profile?: boolean },
): Promise<Inspection> {
  throw new UnderstudyError('USAGE', 'inspect is not built yet')
}
