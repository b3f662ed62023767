import type { Socket } from 'node:net'
import type { Client, Connection, Submittable } from 'pg'
import { sendCancelRequest } from './cancel-request.js'
import { ReadingSocket } from './reading-socket.js'

/** Type byte and length of a message (manual, "Message Formats"). */
const HEADER_BYTES = 5
const COPY_DATA = 0x64 // d
/** What may come between the rows, or in front of them: the answer to `COPY`, a notice, a notification, a changed setting. */
const PASSED_OVER: ReadonlySet<number> = new Set(Buffer.from('HNAS'))

/** What rows are gathered in. When four of them wait, so does the socket. */
const BLOCK_BYTES = 64 * 1024
const WAITING_BLOCKS = 4

export interface CopyOutOptions {
  /** Whether a chunk may be overwritten as soon as the next is asked for. */
  readonly isReused: boolean
}

/**
 * The rows of a select in a format of `COPY`, in chunks that break anywhere. When the consumer stops early, the server is made to end the
 * statement, and what is still on the way is read and thrown away.
 */
export async function* copyOut(
  client: Client,
  { select, format }: { readonly select: string; readonly format: string },
  { isReused }: CopyOutOptions,
): AsyncGenerator<Uint8Array> {
  const copy = client.query(new CopyOut(`copy (${select}) to stdout with (${format})`))
  let isRunning = true
  try {
    for (let block = await copy.take(); block !== undefined; block = await copy.take()) {
      yield block
      if (isReused) copy.reuse(block)
    }
    isRunning = false
  } catch (error) {
    isRunning = false
    throw error
  } finally {
    if (isRunning) await Promise.all([sendCancelRequest(client), drain(copy)])
  }
}

async function drain(copy: CopyOut): Promise<void> {
  try {
    while ((await copy.take()) !== undefined);
  } catch {
    // The server reports that the statement was cancelled, which is what was asked for.
  }
}

/**
 * One `COPY … TO STDOUT`, as `pg` runs it. It reads the socket itself as long as there are rows: each comes in a message, and an object for each
 * of a million, which `pg` and pg-copy-streams make, would have to be collected.
 */
class CopyOut implements Submittable {
  readonly #sql: string
  readonly #messages = new CopyMessages()
  readonly #waiting: Buffer[] = []
  readonly #free: Buffer[] = []
  #block: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES)
  #used = 0
  #stream: Socket | undefined
  /** The listener that `pg` reads with. */
  #parse: ((bytes: Buffer) => void) | undefined
  #isDone = false
  #error: Error | undefined
  #wake: () => void = () => undefined

  constructor(sql: string) {
    this.#sql = sql
  }

  /** The rows that have come, a block at a time; undefined when there will be no more. */
  async take(): Promise<Buffer | undefined> {
    for (;;) {
      const block = this.#waiting.shift() ?? this.#takeStarted()
      if (block !== undefined) {
        this.#stream?.resume()
        return block
      }
      if (this.#error !== undefined) throw this.#error
      if (this.#isDone) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  reuse(block: Buffer): void {
    this.#free.push(Buffer.from(block.buffer))
  }

  submit(connection: Connection): void {
    const stream = connection.stream as Socket
    const [parse] = stream.listeners('data')
    this.#stream = stream
    this.#parse = parse as (bytes: Buffer) => void
    stream.off('data', this.#parse)
    if (stream instanceof ReadingSocket) stream.reader = this.#read
    else stream.on('data', this.#read)
    connection.query(this.#sql)
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#isDone = true
    this.#wake()
  }

  /** The server's error, or the connection's when it is lost. */
  handleError(error: Error): void {
    this.#error ??= error
    this.#giveBack()
    this.#wake()
  }

  readonly #read = (bytes: Buffer): void => {
    const { rows, others } = this.#messages.split(bytes)
    this.#gather(rows)
    if (others === undefined) return
    this.#giveBack()
    this.#parse?.(others)
  }

  #gather(rows: Buffer): void {
    for (let at = 0; at < rows.length; ) {
      const taken = Math.min(rows.length - at, BLOCK_BYTES - this.#used)
      this.#block.set(rows.subarray(at, at + taken), this.#used)
      this.#used += taken
      at += taken
      if (this.#used === BLOCK_BYTES) this.#waiting.push(this.#takeStarted() as Buffer)
    }
    if (this.#waiting.length >= WAITING_BLOCKS) this.#stream?.pause()
    this.#wake()
  }

  #takeStarted(): Buffer | undefined {
    if (this.#used === 0) return undefined
    const block = this.#block.subarray(0, this.#used)
    this.#block = this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES)
    this.#used = 0
    return block
  }

  /** Lets `pg` read on. */
  #giveBack(): void {
    const stream = this.#stream
    if (stream === undefined || this.#parse === undefined) return
    if (stream instanceof ReadingSocket) stream.reader = undefined
    else stream.off('data', this.#read)
    if (!stream.listeners('data').includes(this.#parse)) stream.on('data', this.#parse)
    stream.resume()
  }
}

/** Takes the rows out of their messages, however these are cut. */
class CopyMessages {
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerBytes = 0
  /** What is still to come of a message, and whether it is a row's. */
  #rest = 0
  #isRow = false

  /** The bytes of rows, closed up in place; and what follows the last message of the `COPY`, from the first other one on. */
  split(bytes: Buffer): { rows: Buffer; others: Buffer | undefined } {
    let used = 0
    for (let at = 0; at < bytes.length; ) {
      if (this.#rest > 0) {
        const end = Math.min(bytes.length, at + this.#rest)
        this.#rest -= end - at
        if (this.#isRow) {
          bytes.copyWithin(used, at, end)
          used += end - at
        }
        at = end
        continue
      }
      while (this.#headerBytes < HEADER_BYTES && at < bytes.length)
        this.#header[this.#headerBytes++] = bytes[at++] as number
      if (this.#headerBytes < HEADER_BYTES) break
      const type = this.#header[0] as number
      this.#isRow = type === COPY_DATA
      this.#headerBytes = 0
      if (!this.#isRow && !PASSED_OVER.has(type)) {
        return { rows: bytes.subarray(0, used), others: Buffer.concat([this.#header, bytes.subarray(at)]) }
      }
      this.#rest = this.#header.readInt32BE(1) - (HEADER_BYTES - 1)
    }
    return { rows: bytes.subarray(0, used), others: undefined }
  }
}
