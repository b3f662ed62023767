import type { Client, Connection, Submittable } from 'pg'
import { BINARY_BEGIN, BINARY_END, BinaryRecords, type RecordMessage } from './binary-records.js'
import { LINES_FORMAT } from './copy-format.js'
import { MESSAGE_HEADER_BYTES, newMessage, sealed } from './copy-message.js'
import type { LinesTarget } from './port.js'

const COPY_DONE = Buffer.from('c\0\0\0\x04')
const COPY_FAIL = Buffer.from('f\0\0\0\x17the sender gave up\0')

/** Sends chunks into a table and returns the number of rows that the server reports. */
export async function copyIn(client: Client, target: LinesTarget, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const columns = target.columns.join(', ')
  const copy = client.query(new CopyIn(`copy ${target.table} (${columns}) from stdin with (${LINES_FORMAT}, null '')`))
  return await ending(
    () => copy,
    async () => {
      await copy.untilReady()
      for await (const message of messagesOf(chunks)) await copy.send(message)
      return await copy.finish()
    },
  )
}

/** As `copyIn`, into `(n bigint, master text, line text)`: in several statements where there are long lines. */
export async function copyRecords(client: Client, table: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const records = new BinaryRecords()
  let copy: CopyIn | undefined
  let format: RecordMessage['format'] | undefined
  let rows = 0
  const finish = async () => {
    if (copy === undefined) return
    if (format === 'binary') await copy.send(messageOf(BINARY_END))
    rows += await copy.finish()
    copy = undefined
  }
  const send = async (messages: readonly RecordMessage[]) => {
    for (const each of messages) {
      if (each.format !== format) await finish()
      if (copy === undefined) {
        format = each.format
        const options = format === 'binary' ? 'format binary' : `${LINES_FORMAT}, null ''`
        copy = client.query(new CopyIn(`copy ${table} (n, master, line) from stdin with (${options})`))
        await copy.untilReady()
        if (format === 'binary') await copy.send(messageOf(BINARY_BEGIN))
      }
      await copy.send(each.message)
    }
  }
  return await ending(
    () => copy,
    async () => {
      for await (const chunk of chunks) await send(records.push(chunk))
      await send(records.end())
      await finish()
      return rows
    },
  )
}

/** Where the work fails, either the server has ended the COPY, or the source failed: then it is told, and its answer awaited. */
async function ending<T>(running: () => CopyIn | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw (await running()?.abandon()) ?? error
  }
}

/**
 * One `COPY … FROM STDIN`, as `pg` runs it. Not pg-copy-streams' writable: when the server refuses a row while chunks are
 * waiting, that one throws outside of every promise and ends the process (7.0.0, seen).
 */
class CopyIn implements Submittable {
  readonly #sql: string
  #connection: Connection | undefined
  #isReady = false
  #isDone = false
  #rows = 0
  #error: Error | undefined
  #wake: () => void = () => undefined

  constructor(sql: string) {
    this.#sql = sql
  }

  async untilReady(): Promise<void> {
    await this.#until(() => this.#isReady)
  }

  /** Sends a message and returns when there is room for the next; throws the error with which the server ended the COPY. */
  async send(message: Uint8Array): Promise<void> {
    const stream = this.#connection?.stream
    if (stream === undefined || this.#error !== undefined || stream.write(message)) return this.#assertRunning()
    let hasRoom = false
    const onDrain = () => {
      hasRoom = true
      this.#wake()
    }
    stream.once('drain', onDrain)
    try {
      await this.#until(() => hasRoom)
    } finally {
      stream.off('drain', onDrain)
    }
  }

  async finish(): Promise<number> {
    this.#assertRunning()
    this.#connection?.stream.write(COPY_DONE)
    await this.#until(() => this.#isDone)
    return this.#rows
  }

  /** Ends the COPY without a result; returns the server's error where that came first. */
  async abandon(): Promise<Error | undefined> {
    if (this.#error !== undefined) return this.#error
    this.#connection?.stream.write(COPY_FAIL)
    await this.#until(() => this.#isDone).catch(() => undefined)
    return undefined
  }

  submit(connection: Connection): void {
    this.#connection = connection
    connection.query(this.#sql)
  }

  handleCopyInResponse(): void {
    this.#isReady = true
    this.#wake()
  }

  handleCommandComplete(message: { readonly text?: string }): void {
    this.#rows = Number(/^COPY (\d+)/.exec(message.text ?? '')?.[1] ?? 0)
  }

  handleReadyForQuery(): void {
    this.#isDone = true
    this.#wake()
  }

  /** The server's error, or the connection's when it is lost. */
  handleError(error: Error): void {
    this.#error ??= error
    this.#wake()
  }

  #assertRunning(): void {
    if (this.#error !== undefined) throw this.#error
  }

  async #until(condition: () => boolean): Promise<void> {
    while (true) {
      this.#assertRunning()
      if (condition()) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

/** Packs chunks into messages of one size: small ones are joined, large ones cut. */
async function* messagesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let message = newMessage()
  let used = MESSAGE_HEADER_BYTES
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + message.length - used)
      message.set(piece, used)
      used += piece.length
      at += piece.length
      if (used < message.length) continue
      yield sealed(message, used)
      message = newMessage()
      used = MESSAGE_HEADER_BYTES
    }
  }
  if (used > MESSAGE_HEADER_BYTES) yield sealed(message, used)
}

function messageOf(bytes: Uint8Array): Uint8Array {
  const message = Buffer.alloc(MESSAGE_HEADER_BYTES + bytes.length)
  message.set(bytes, MESSAGE_HEADER_BYTES)
  return sealed(message, message.length)
}
