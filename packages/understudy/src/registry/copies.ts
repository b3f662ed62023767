import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { type Instance, isRegistryReadable } from './registry.js'

/**
 * A copied database carries the registry along, and with it the instance id: two databases would then call different rows by the same origin.
 * A copy stands elsewhere than the fingerprint says.
 *
 * @throws UnderstudyError `INSTANCE_AMBIGUOUS`
 */
export async function refuseCopy(session: Session, instance: Instance | null): Promise<void> {
  if (instance === null || instance.fingerprint === null) return
  const here = await session.readFingerprint()
  if (here === null || here === instance.fingerprint) return
  throw new UnderstudyError('INSTANCE_AMBIGUOUS', 'this database was copied or moved, and still goes by its old id', {
    detail: [`instance ${instance.id}`, `its place then: ${instance.fingerprint}`, `its place now: ${here}`].join('\n'),
    hint:
      'Does the other one still exist? Then this is a copy: `understudy adopt --as-copy` gives it an id of its own, and both go on knowing the ' +
      'rows that they share. Was it moved, restored in place or upgraded? Then say `understudy adopt --as-original`.',
  })
}

/**
 * A copy of the server's files (a base backup, a snapshot of the disk) cannot be told by its fingerprint, but its archives can: they bear
 * this database's id, and this database has not written them.
 *
 * @throws UnderstudyError `INSTANCE_AMBIGUOUS`
 */
export async function refuseTwin(
  session: Session,
  instance: Instance | null,
  archive: { readonly id: string; readonly source: { readonly instance: string | null } },
): Promise<void> {
  if (instance === null || archive.source.instance !== instance.id) return
  if (!(await isRegistryReadable(session, 'transfer'))) return
  const [row] = await session.query<{ is_own: boolean }>(
    `select exists (select from understudy.transfer
                     where direction = 'export' and archive_id = $1::uuid) as is_own`,
    [archive.id],
  )
  if (row?.is_own === true) return
  throw new UnderstudyError(
    'INSTANCE_AMBIGUOUS',
    'the archive bears the id of this database, which has not written it',
    {
      detail: `instance ${instance.id}\narchive ${archive.id}`,
      hint:
        'Did a copy of this database write it? Then run `understudy adopt --as-copy` there and export again. Is it this database’s own, ' +
        'which was since put back to an earlier state? Then say `understudy adopt --as-original <archive>` here.',
    },
  )
}
