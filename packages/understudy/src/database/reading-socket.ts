import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'

const BUFFER_BYTES = 64 * 1024

/**
 * A socket that reads into one buffer. By itself a socket makes one for each read, which has to be collected: that, and an object for each row,
 * took an eighth of an export's processor time.
 */
export class ReadingSocket extends Socket {
  /** Gets what is read in place of the listeners of `data`, and may use it until it returns. */
  reader: ((bytes: Buffer) => void) | undefined

  constructor() {
    const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = {
      onread: {
        buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
        callback: (length: number, buffer: Uint8Array): boolean => {
          const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, length)
          if (this.reader === undefined) this.emit('data', Buffer.from(bytes))
          else this.reader(bytes)
          return true
        },
      },
    }
    super(options)
  }
}
