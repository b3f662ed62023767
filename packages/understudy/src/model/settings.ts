import type { Settings } from '../config/settings.js'

/** What the configuration may say about the content model. Everything has a default: the catalog alone gives a model. */
export type ModelSettings = Pick<Settings, 'schemas' | 'identityColumns' | 'exclude' | 'relations' | 'references'> & {
  /** Oids of foreign keys whose values travel as they are, as in a backup where their rows are not there. Default: none. */
  readonly bareKeys?: ReadonlySet<number> | undefined
}
