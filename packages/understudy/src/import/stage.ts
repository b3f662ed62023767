import type { Session } from '../database/port.js'
import { UnderstudyError } from '../errors.js'
import { relationLabel } from '../model/model.js'
import type { OnProgress } from '../progress.js'
import { analyzeTemporary, type Load } from './load.js'
import { bare } from './parse.js'

/**
 * Copies a file's records into a temporary table as they are. The reader of the archive throws on the last chunk where the file's hashes do
 * not match; the count is compared here, because a line `\.` ends a copy without an error before PostgreSQL 18.
 */
export async function stageFile(
  session: Session,
  load: Load,
  lines: AsyncIterable<Uint8Array>,
  onProgress: OnProgress | undefined,
): Promise<void> {
  const relation = relationLabel(load.relation)
  await session.execute(`create temporary table ${bare(load.stage)} (n bigint, master text, line text) on commit drop`)
  // Lines over 2 kB would be compressed, which costs more than the disk that it saves.
  await session.execute(`alter table ${load.stage} alter column line set storage external`)
  const staged = await session.writeRecords(load.stage, counted(lines, load, relation, onProgress))
  if (staged !== load.entry.records) {
    throw new UnderstudyError(
      'ARCHIVE_DAMAGED',
      `${load.entry.file}: ${staged} of ${load.entry.records} records arrived`,
      {
        hint: 'Nothing was written. Export again.',
      },
    )
  }
  await analyzeTemporary(session, load, load.stage)
}

async function* counted(
  lines: AsyncIterable<Uint8Array>,
  load: Load,
  relation: string,
  onProgress: OnProgress | undefined,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of lines) {
    bytes += chunk.byteLength
    const rows = Math.floor((load.entry.records * Math.min(bytes, load.entry.bytes)) / Math.max(1, load.entry.bytes))
    onProgress?.({ step: 'stage', relation, rows, totalRows: load.entry.records, bytes, isDone: false })
    yield chunk
  }
}
