import type { ArchiveIndex } from '../archive/archive-index.js'
import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { readLevel } from '../registry/level.js'

/**
 * Compares the migrations that the archive's source had with those of the target: a later level is refused, an earlier one too, unless it is accepted. Where one
 * of the two has no ledger there is nothing to compare.
 */
export async function requireLevel(
  session: Session,
  index: ArchiveIndex,
  { acceptsOlderLevel = false }: { readonly acceptsOlderLevel?: boolean | undefined },
): Promise<void> {
  const level = await readLevel(session)
  if (level.length === 0 || index.migrations.length === 0) return
  const archived = new Set(index.migrations.map(({ id }) => id))
  const here = new Set(level.map(({ id }) => id))
  const last = Math.max(...level.filter(({ isSchema }) => isSchema).map(({ id }) => numberOf(id)))
  const onlyHere = level.filter(({ id, isSchema }) => isSchema && !archived.has(id)).map(({ id }) => id)
  // What stands before the target's last migration was left out on purpose: manual ones, and seeds.
  const onlyThere = [...archived].filter((id) => !here.has(id) && numberOf(id) > last)
  const facts = [
    ...onlyThere.map((id) => `only in the archive: ${id}`),
    ...onlyHere.map((id) => `only in the target: ${id}`),
  ]
  if (onlyThere.length > 0)
    throw new UnderstudyError(
      'ARCHIVE_LEVEL_NEWER',
      'the archive is from a later level of the schema than the target',
      {
        detail: facts.join('\n'),
        hint: 'Nothing was written. Bring the target to that level first: `understudy migrate up`.',
      },
    )
  const lastArchived = Math.max(...[...archived].map(numberOf))
  if (acceptsOlderLevel || !onlyHere.some((id) => numberOf(id) > lastArchived)) return
  throw new UnderstudyError(
    'ARCHIVE_LEVEL_OLDER',
    'the archive is from an earlier level of the schema than the target',
    {
      detail: facts.join('\n'),
      hint: 'Nothing was written. `--upgrade` brings the archive to this level first, in a scratch database; `--as-it-is` imports it as it is.',
    },
  )
}

function numberOf(id: string): number {
  return Number.parseInt(id, 10)
}
