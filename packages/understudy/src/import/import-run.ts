import type { ArchiveIndex } from '../archive/archive-index.js'
import type { Settings } from '../config/settings.js'
import type { WaitOptions } from '../database/locked-transaction.js'
import type { Session } from '../database/port.js'
import type { OnProgress } from '../progress.js'
import type { PackageReport } from './package-steps.js'
import type { LoadedPackage } from './packages.js'
import type { ImportMode, ImportPlan, MissingPolicy } from './plan.js'

export interface ImportRun {
  readonly session: Session
  readonly settings: Settings
  /** Where the target is, safe to print. */
  readonly target: string
  readonly path: string
  /** The archive's index, without the relations that are not loaded. */
  readonly index: ArchiveIndex
  /** True: the archive was made of a fileset, and a record's master_id is where it stands: `events.csv:12`. */
  readonly isFileset: boolean
  /** The data packages that take part, in their order. */
  readonly packages: readonly LoadedPackage[]
  readonly mode: ImportMode
  readonly onMissing: MissingPolicy
  readonly isDryRun: boolean
  /** How many rows of each relation and kind of change the plan names. Default: it names none, and none is looked for. */
  readonly rows?: number | undefined
  /** True for a restore into emptied relations: new rows keep the keys that they had in the source. */
  readonly keepsKeys?: boolean | undefined
  readonly waitMs: number
  readonly onWait: WaitOptions['onWait']
  /** Throws where the plan is not the one that was agreed. */
  readonly approve: (plan: ImportPlan) => void
  readonly onProgress: OnProgress | undefined
  readonly signal: AbortSignal | undefined
  readonly journal: ImportJournal
}

export interface ImportStep {
  readonly step: string
  readonly durationMs: number
}

export interface Outcome {
  readonly plan: ImportPlan
  readonly steps: readonly ImportStep[]
  /** How many references of earlier imports got their target. */
  readonly resolvedLate: number
  /** How many copies of other values (`relations.….copies`) were computed anew. */
  readonly refreshedCopies: number
  /** Empty in a dry run. */
  readonly packages: readonly PackageReport[]
}

/** What is known of an import while it goes on, for the report of one that fails. */
export interface ImportJournal {
  plan: ImportPlan | null
  steps: ImportStep[]
}
