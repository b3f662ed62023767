import { readArchive } from '../archive/reader.js'
import { UnderstudyError } from '../errors.js'
import { createRegistry, recordTransfer } from '../registry/registry.js'
import type { Adopted, AdoptRun } from './adopt-database.js'

/** Records where the database stands now. An archive that it wrote in a state that is lost enters its log again. */
export async function adoptAsOriginal({ session, instance, archive }: AdoptRun): Promise<Adopted> {
  await createRegistry(session)
  await session.execute('update understudy.instance set fingerprint = $1::text', [await session.readFingerprint()])
  if (archive === null) return { instance: instance.id, archive: null, relations: [] }
  const index = await readArchive(archive)
  if (index.source.instance !== instance.id) {
    throw new UnderstudyError('ADOPT_REFUSED', 'the archive was not written by this database', {
      detail: `instance of the archive: ${index.source.instance ?? 'none'}\ninstance of this database: ${instance.id}`,
      hint: 'Leave the archive out, or name one of this database’s own.',
    })
  }
  const [known] = await session.query<{ found: boolean }>(
    `select exists (select from understudy.transfer where direction = 'export' and archive_id = $1::uuid) as found`,
    [index.id],
  )
  if (known?.found !== true) {
    await recordTransfer(session, {
      direction: 'export',
      archiveId: index.id,
      archiveName: archive.replace(/^.*[\\/]/, ''),
      sourceInstance: null,
      mode: null,
      relations: {},
    })
  }
  return { instance: instance.id, archive: { id: index.id, path: archive }, relations: [] }
}
