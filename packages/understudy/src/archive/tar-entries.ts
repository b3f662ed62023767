import type { Extract, Header } from 'tar-stream'
import { UnderstudyError } from '../errors.js'
import { damaged } from './archive-bytes.js'
import { MAX_ENTRIES } from './limits.js'

/** A regular file in a tar. */
export interface TarEntry {
  /** Without the `./` that `tar -c .` puts in front. */
  readonly name: string
  readonly bytes: number
  /** Once only. What is left unread is passed over when the next entry is asked for. */
  readonly chunks: AsyncIterable<Buffer>
}

/**
 * The regular files of a tar, in its order. The directory `./` is passed over.
 *
 * @throws UnderstudyError `ARCHIVE_ENTRY_REFUSED` for any other kind of entry, a name that leads elsewhere or stands twice, or too many
 * entries; `ARCHIVE_DAMAGED` where the tar is none. Errors of `bytes` are thrown as they are.
 */
export async function* tarEntries(path: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  // Loaded where an archive is read: an export reads none.
  const { extract } = await import('tar-stream')
  const tar = extract()
  const feeding = feed(tar, bytes)
  const names = new Set<string>()
  try {
    for await (const entry of tar) {
      const name = entry.header.name.replace(/^(?:\.\/)+/, '')
      if (entry.header.type === 'directory' && (name === '' || name === '.')) {
        entry.resume()
        continue
      }
      refuseUnsafe(path, entry.header, name)
      if (names.has(name)) throw refused(path, name, 'stands twice')
      if (names.add(name).size > MAX_ENTRIES) throw refused(path, name, `is beyond the limit of ${MAX_ENTRIES} entries`)
      const iterator = entry[Symbol.asyncIterator]() as AsyncIterator<Buffer>
      yield { name, bytes: entry.header.size, chunks: unclosed(iterator) }
      while (!(await iterator.next()).done) {}
    }
    await feeding.done
  } catch (error) {
    if (feeding.failure !== undefined) throw feeding.failure
    if (error instanceof UnderstudyError) throw error
    throw damaged({ path }, error instanceof Error ? error.message : String(error))
  } finally {
    tar.destroy(null)
    await feeding.done.catch(() => {})
  }
}

/** Pushes the bytes into the parser, at its pace. What `bytes` fails with is kept, for the parser words it anew. */
function feed(tar: Extract, bytes: AsyncIterable<Buffer>): { readonly done: Promise<void>; readonly failure: unknown } {
  const state = { done: Promise.resolve(), failure: undefined as unknown }
  state.done = (async () => {
    try {
      for await (const chunk of bytes) {
        if (tar.destroying) return
        if (!tar.write(chunk)) await drainedOrClosed(tar)
      }
      tar.end(null)
    } catch (error) {
      state.failure = error
      tar.destroy(error as Error)
      throw error
    }
  })()
  state.done.catch(() => {})
  return state
}

function drainedOrClosed(tar: Extract): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      tar.off('drain', settle)
      tar.off('close', settle)
      resolve()
    }
    tar.on('drain', settle)
    tar.on('close', settle)
  })
}

/** The same chunks; a consumer that stops early closes nothing, so that the rest can be passed over. */
function unclosed(iterator: AsyncIterator<Buffer>): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) }
}

function refuseUnsafe(path: string, header: Header, name: string): void {
  if (header.type !== 'file') throw refused(path, name, `is a ${header.type ?? 'thing of an unknown kind'}, not a file`)
  if (name.startsWith('/') || name.includes('\\') || name.split('/').includes('..'))
    throw refused(path, name, 'leads out of the archive')
  if (!Number.isSafeInteger(header.size)) throw refused(path, name, 'has no valid size')
}

export function refused(path: string, name: string, what: string): UnderstudyError {
  return new UnderstudyError(
    'ARCHIVE_ENTRY_REFUSED',
    `the entry ${JSON.stringify(name).slice(0, 200)} of ${path} ${what}`,
    {
      hint: 'Pack only the files that the index names, each once, without folders or links.',
    },
  )
}
