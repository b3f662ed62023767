import { relationLabel } from '../model/model.js'
import type { ProgressEvent } from '../progress.js'
import type { ImportRun } from './import-run.js'
import type { Load } from './load.js'

/** Times the steps, and within them the relations, and reports progress. */
export class Steps {
  /** Milliseconds by relation. */
  readonly spent = new Map<string, number>()
  #current: { readonly relation: string; readonly startedAt: number } | null = null

  constructor(private readonly run: ImportRun) {}

  async time<T>(step: ProgressEvent['step'], work: () => Promise<T>): Promise<T> {
    this.run.signal?.throwIfAborted()
    this.#emit(step, null, 0, false)
    const startedAt = performance.now()
    const result = await work()
    this.turnTo(null)
    this.run.journal.steps.push({ step, durationMs: Math.round(performance.now() - startedAt) })
    this.#emit(step, null, 0, true)
    return result
  }

  report(step: ProgressEvent['step'], load: Load): void {
    this.reportRelation(step, relationLabel(load.relation), load.entry.records)
  }

  reportRelation(step: ProgressEvent['step'], relation: string, rows: number): void {
    this.run.signal?.throwIfAborted()
    this.turnTo(relation)
    this.#emit(step, relation, rows, false)
  }

  /** From now on it is this relation that time is spent on. */
  turnTo(relation: string | null): void {
    const now = performance.now()
    if (this.#current !== null) {
      const before = this.spent.get(this.#current.relation) ?? 0
      this.spent.set(this.#current.relation, before + now - this.#current.startedAt)
    }
    this.#current = relation === null ? null : { relation, startedAt: now }
  }

  #emit(step: ProgressEvent['step'], relation: string | null, rows: number, isDone: boolean): void {
    this.run.onProgress?.({ step, relation, rows, totalRows: null, bytes: 0, isDone })
  }
}
