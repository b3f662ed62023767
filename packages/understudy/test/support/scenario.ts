import { join } from 'node:path'
import type { UnderstudyConfig } from '../../src/config/define-config.js'
import { resolveSettings } from '../../src/config/resolve-settings.js'
import type { Settings } from '../../src/config/settings.js'
import { type ExportOptions, type ExportResult, exportContent } from '../../src/export/export-content.js'
import { type ImportOptions, type ImportResult, importContent } from '../../src/import/import-content.js'
import type { PlannedRelation } from '../../src/import/plan.js'
import type { Engine, TestDatabase } from './engines.js'
import { createScratchFolder } from './scratch.js'

/** One database of a scenario, with the product's two functions bound to it. */
export interface Stage {
  readonly settings: Settings
  readonly created: TestDatabase
  run(script: string): Promise<void>
  rows<Row = Record<string, unknown>>(sql: string): Promise<Row[]>
  export(options?: ExportOptions): Promise<ExportResult>
  import(archive: string, options?: Partial<ImportOptions>): Promise<ImportResult>
}

/** A configuration for a database, as if it stood in a folder. */
export function settingsFor(url: string, folder: string, config: UnderstudyConfig = {}): Settings {
  return resolveSettings({ ...config, database: url }, {
    root: folder,
    file: null,
    databaseSource: 'configuration',
    environment: {},
  } as never)
}

/** Makes a database from a script, with a configuration of its own, and gives it to the scenario. */
export async function createStage(engine: Engine, script: string, config: UnderstudyConfig = {}): Promise<Stage> {
  const created = await engine.createDatabase()
  const folder = await createScratchFolder()
  const settings = settingsFor(created.url, folder, config)
  const { database } = created
  const stage: Stage = {
    settings,
    created,
    run: (sql) => database.withSession((session) => session.script(sql)),
    rows: (sql) => database.withSession((session) => session.query(sql)) as never,
    export: (options) =>
      exportContent(settings, { out: join(folder, `${Math.random()}.backup.tar.gz`), database, ...options }),
    import: (archive, options) => importContent(settings, { archive, mode: 'replace', database, ...options }),
  }
  await stage.run(script)
  return stage
}

/** The counts of a plan that are not zero, by relation: `{ users: 'insert 2, unchanged 1' }`. */
export function countsOf(result: ImportResult): Record<string, string> {
  return Object.fromEntries(result.plan.relations.map((relation) => [relation.relation, describeCounts(relation)]))
}

function describeCounts(relation: PlannedRelation): string {
  const parts = [
    [relation.inserts, 'insert'],
    [relation.updates, 'update'],
    [relation.deletes, 'delete'],
    [relation.skipped, 'skip'],
    [relation.unchanged, 'same'],
  ] as const
  return parts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${word} ${count}`)
    .join(', ')
}

/** Content digests by relation: equal for equal content, whatever the ids. */
export function digestsOf(result: ExportResult): Record<string, string> {
  return Object.fromEntries(result.files.map((file) => [file.relation, file.contentSha256]))
}
