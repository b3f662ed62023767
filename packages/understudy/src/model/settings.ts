import type { Settings } from '../config/settings.js'

/** What the configuration may say about the content model. Everything has a default: the catalog alone gives a model. */
export type ModelSettings = Pick<Settings, 'schemas' | 'identityColumns' | 'exclude' | 'relations' | 'references'>
