import { expect } from 'vitest'
import type { UnderstudyConfig } from '../../src/config/define-config.js'
import type { ImportResult } from '../../src/import/import-content.js'
import type { Engine } from '../support/engines.js'
import { createStage, digestsOf, type Stage } from '../support/scenario.js'

/** A source and a target with the same schema and different histories. */
export interface Scenario {
  readonly schema: string
  readonly source: string
  /** The target's own content. Default: none. */
  readonly target?: string
  /** Queries whose rows must be equal in both databases afterwards: no surrogate ids, rows joined by identity. */
  readonly equal: readonly string[]
  readonly mode?: 'init' | 'replace'
  readonly config?: UnderstudyConfig
}

export interface Transfer {
  readonly source: Stage
  readonly target: Stage
  readonly result: ImportResult
}

/** Imports the source into the target, compares the rows by the scenario's queries, and expects a second import to find nothing to do. */
export async function transfer(engine: Engine, scenario: Scenario): Promise<Transfer> {
  const source = await createStage(engine, scenario.schema + scenario.source, scenario.config)
  const target = await createStage(engine, scenario.schema + (scenario.target ?? ''), scenario.config)
  const exported = await source.export()
  const result = await target.import(exported.path, { mode: scenario.mode ?? 'replace' })
  for (const query of scenario.equal) expect(await target.rows(query)).toEqual(await source.rows(query))
  await expectNothingToDo(target, exported.path)
  if (scenario.target === undefined) expect(digestsOf(await target.export())).toEqual(digestsOf(exported))
  return { source, target, result }
}

export async function expectNothingToDo(target: Stage, archive: string): Promise<void> {
  const again = await target.import(archive)
  const busy = again.plan.relations.filter((each) => each.inserts + each.updates + each.deletes > 0)
  expect(busy.map(({ relation, inserts, updates, deletes }) => ({ relation, inserts, updates, deletes }))).toEqual([])
}

/** The text of an error, message and detail; `none` where there was none. */
export async function errorOf(work: Promise<unknown>): Promise<{ code: string; text: string }> {
  return await work.then(
    () => ({ code: 'none', text: '' }),
    (error) => ({ code: String(error.code), text: `${error.message}\n${error.detail ?? ''}` }),
  )
}
