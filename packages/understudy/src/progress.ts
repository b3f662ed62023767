/** One step of an export or an import as it goes on. */
export interface ProgressEvent {
  readonly step: 'lock' | 'read' | 'stage' | 'seed' | 'match' | 'bind' | 'write' | 'check' | 'assemble'
  /** The relation at hand, or null where the step is about all of them. */
  readonly relation: string | null
  readonly rows: number
  /** Rows expected, where that is known. */
  readonly totalRows: number | null
  readonly bytes: number
  readonly isDone: boolean
}

export type OnProgress = (event: ProgressEvent) => void
