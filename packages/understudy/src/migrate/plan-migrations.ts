import type { MigrationPackage } from '../config/settings.js'
import { UnderstudyError } from '../errors.js'
import type { LoadedMigration } from './load-migration.js'
import type { MigrationFile } from './migration-files.js'

/** What a run is about: one migration, or packages. */
export type MigrationSelection =
  | { readonly kind: 'one'; readonly file: MigrationFile }
  | { readonly kind: 'packages'; readonly packages: readonly MigrationPackage[]; readonly includesManual: boolean }

export interface MigrationPlan {
  /** To run, in order. */
  readonly steps: readonly LoadedMigration[]
  /** Selected, and left out because they run only when they are named. */
  readonly manual: readonly LoadedMigration[]
}

/**
 * Decides which of the unapplied migrations run.
 *
 * Error: MIGRATION_RANGE_INVALID where the selection begins behind a migration that is pending.
 */
export function planMigrations(unapplied: readonly LoadedMigration[], selection: MigrationSelection): MigrationPlan {
  const start = selection.kind === 'one' ? selection.file.number : (selection.packages[0]?.from ?? 0)
  assertNothingSkipped(unapplied, start)

  if (selection.kind === 'one')
    return { steps: unapplied.filter(({ file }) => file.id === selection.file.id), manual: [] }
  const selected = unapplied.filter(({ file }) =>
    selection.packages.some(({ from, to }) => from <= file.number && file.number <= to),
  )
  const isHeldBack = ({ isManualOnly }: LoadedMigration) => isManualOnly && !selection.includesManual
  return { steps: selected.filter((migration) => !isHeldBack(migration)), manual: selected.filter(isHeldBack) }
}

/**
 * Error: MIGRATION_RANGE_INVALID where migrations before this number are pending. Manual ones may stay behind.
 */
export function assertNothingSkipped(unapplied: readonly LoadedMigration[], start: number): void {
  const skipped = unapplied.filter(({ file, isManualOnly }) => !isManualOnly && file.number < start)
  if (skipped.length === 0) return
  throw new UnderstudyError('MIGRATION_RANGE_INVALID', 'the selection skips migrations that are pending', {
    detail: skipped.map(({ file }) => file.id).join('\n'),
    hint: 'Run those first, or begin the range with their package.',
  })
}

/**
 * The file that is meant by a number or an id.
 *
 * Error: MIGRATION_RANGE_INVALID where there is none, or where two share the number.
 */
export function findNamed(files: readonly MigrationFile[], name: string): MigrationFile {
  const found = files.filter(({ id, number }) => id === name || (/^\d+$/.test(name) && number === Number(name)))
  const [file] = found
  if (file !== undefined && found.length === 1) return file
  if (file !== undefined)
    throw new UnderstudyError('MIGRATION_RANGE_INVALID', `two migrations have the number ${name}`, {
      detail: found.map(({ id }) => id).join('\n'),
      hint: 'Say the whole name.',
    })
  throw new UnderstudyError('MIGRATION_RANGE_INVALID', `no migration is called ${name}`, {
    hint: '`understudy migrate status` lists them; a number such as 021 is enough.',
  })
}
