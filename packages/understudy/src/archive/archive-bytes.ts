import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { UnderstudyError } from '../errors.js'
import { BLOCK_BYTES, STREAM_BUFFERS } from './limits.js'

const TAR_MAGIC_OFFSET = 257
const TAR_END_BYTES = 1024

/** An archive's file, open for as many passes as needed: a file that is replaced meanwhile does not matter. */
export interface ArchiveFile {
  readonly path: string
  readonly handle: FileHandle
  readonly bytes: number
  readonly isGzip: boolean
}

export interface TarBytesOptions {
  /** Where to stop: more bytes than this cannot be right. */
  readonly maxBytes: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens an archive, gives it to `use`, and closes it whatever happens.
 *
 * @throws UnderstudyError `ARCHIVE_NOT_FOUND`, `ARCHIVE_NOT_RECOGNISED`; `ARCHIVE_DAMAGED` where reading fails
 */
export async function openArchiveFile(path: string): Promise<ArchiveFile> {
  const handle = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw new UnderstudyError('ARCHIVE_NOT_FOUND', `cannot open the archive ${path}`, { detail: cause.message, cause })
  })
  try {
    const { size } = await handle.stat()
    const start = Buffer.alloc(TAR_MAGIC_OFFSET + 5)
    const { bytesRead } = await handle.read(start, 0, start.length, 0)
    const isGzip = bytesRead >= 2 && start[0] === 0x1f && start[1] === 0x8b
    const isTar = bytesRead === start.length && start.toString('latin1', TAR_MAGIC_OFFSET) === 'ustar'
    if (isGzip || isTar) return { path, handle, bytes: size, isGzip }
    throw new UnderstudyError('ARCHIVE_NOT_RECOGNISED', `the file ${path} is neither a tar nor a gzipped one`, {
      hint: 'Name a file that `understudy export` has written.',
    })
  } catch (error) {
    await handle.close()
    throw error instanceof UnderstudyError
      ? error
      : new UnderstudyError('ARCHIVE_NOT_RECOGNISED', `cannot read the file ${path}`, { cause: error })
  }
}

/**
 * The bytes of the tar inside, from its beginning.
 *
 * @throws UnderstudyError `ARCHIVE_DAMAGED` where the file is cut off, does not decompress, or goes on behind its end; `ARCHIVE_TOO_LARGE`
 */
export async function* tarBytes(file: ArchiveFile, options: TarBytesOptions): AsyncGenerator<Buffer> {
  const gunzip = file.isGzip ? createGunzip({ ...STREAM_BUFFERS }) : undefined
  const chunks = gunzip === undefined ? fileBytes(file) : pipeline(fileBytes(file), gunzip, () => {})
  let total = 0
  let last: Buffer = Buffer.alloc(0)
  try {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      options.signal?.throwIfAborted()
      total += chunk.length
      if (total > options.maxBytes) throw tooLarge(file, options.maxBytes)
      last = chunk.length >= TAR_END_BYTES ? chunk : Buffer.concat([last, chunk]).subarray(-TAR_END_BYTES)
      yield chunk
    }
  } catch (error) {
    if (error instanceof UnderstudyError || options.signal?.aborted) throw error
    throw damaged(file, error instanceof Error ? error.message : String(error))
  }
  // zlib stops without an error where zeros follow a member, and at the end of any member a cut goes unnoticed.
  if (gunzip !== undefined && gunzip.bytesWritten !== file.bytes) throw damaged(file, 'bytes follow its end')
  if (!isZero(last.subarray(-TAR_END_BYTES))) throw damaged(file, 'it is cut off: the end mark of the tar is missing')
}

/** From the beginning, whatever was read before. A stream of the handle would close it, and there may be another pass. */
async function* fileBytes({ handle }: ArchiveFile): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(BLOCK_BYTES), 0, BLOCK_BYTES, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

export function damaged({ path }: { readonly path: string }, detail: string): UnderstudyError {
  return new UnderstudyError('ARCHIVE_DAMAGED', `the archive ${path} is damaged`, {
    detail,
    hint: 'Take another copy of the archive.',
  })
}

function tooLarge({ path }: ArchiveFile, maxBytes: number): UnderstudyError {
  return new UnderstudyError('ARCHIVE_TOO_LARGE', `the archive ${path} expands beyond ${maxBytes} bytes`, {
    detail: 'that is more than its index announces, or the index was not found so far in',
    hint: 'Where it was packed by hand, put backup-index.json in front.',
  })
}

function isZero(bytes: Buffer): boolean {
  return bytes.length === TAR_END_BYTES && bytes.every((byte) => byte === 0)
}
