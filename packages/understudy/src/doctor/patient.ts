import type { Catalog } from '../catalog/catalog.js'
import type { Settings } from '../config/settings.js'
import type { Database, Session } from '../database/port.js'
import type { BuiltModel } from '../model/build-model.js'

/** What every examination of a session gets. */
export interface Patient {
  readonly session: Session
  readonly database: Database
  readonly settings: Settings
  readonly catalog: Catalog
  readonly built: BuiltModel
  /** Oids of the content relations. */
  readonly content: readonly number[]
}
