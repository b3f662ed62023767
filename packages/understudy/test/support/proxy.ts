import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestServer } from './servers.js'

/** What stands between a client and a server, and does to both what networks do. */
export interface NetworkProxy {
  readonly port: number
  /** How many messages clients have sent since the proxy began. */
  readonly messages: number
  /** Is told the number of each message before it is passed on. */
  onMessage: ((count: number) => void) | undefined
  /** From now on nothing gets through, and nobody is told. */
  stall(): void
  /** Ends all connections. */
  cut(): void
  close(): Promise<void>
}

/** Passes everything on to a server, and counts the messages of clients. Connections without encryption only. */
export async function startProxy(target: TestServer): Promise<NetworkProxy> {
  const sockets = new Set<Socket>()
  let isStalled = false
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  }
  const listener = createServer((client) => {
    const server = connect(target.port, target.host)
    const counter = new MessageCounter(() => {
      proxy.messages++
      proxy.onMessage?.(proxy.messages)
    })
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      keep(from)
      from.on('data', (data: Buffer) => {
        if (from === client) counter.take(data)
        if (!isStalled) to.write(data)
      })
      from.on('close', () => isStalled || to.destroy())
    }
  })
  const proxy = {
    port: 0,
    messages: 0,
    onMessage: undefined as NetworkProxy['onMessage'],
    stall: () => {
      isStalled = true
    },
    cut: () => {
      for (const socket of sockets) socket.destroy()
    },
    async close() {
      listener.close()
      proxy.cut()
      await once(listener, 'close')
    },
  }
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  proxy.port = (listener.address() as AddressInfo).port
  return proxy
}

const HEADER_BYTES = 5

/** Finds the beginnings of messages in a client's bytes: a type, and a length that does not count the type. The first has no type. */
class MessageCounter {
  readonly #onMessage: () => void
  #header = Buffer.alloc(0)
  /** Bytes of the running message that are still to come. */
  #rest = 0
  #isFirst = true

  constructor(onMessage: () => void) {
    this.#onMessage = onMessage
  }

  take(data: Buffer): void {
    for (let at = 0; at < data.length; ) {
      if (this.#rest > 0) {
        const passed = Math.min(this.#rest, data.length - at)
        this.#rest -= passed
        at += passed
        continue
      }
      const wanted = this.#isFirst ? HEADER_BYTES - 1 : HEADER_BYTES
      const piece = data.subarray(at, at + wanted - this.#header.length)
      this.#header = Buffer.concat([this.#header, piece])
      at += piece.length
      if (this.#header.length < wanted) return
      this.#rest = this.#header.readInt32BE(wanted - 4) - 4
      this.#header = Buffer.alloc(0)
      this.#isFirst = false
      this.#onMessage()
    }
  }
}
