import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import pg from 'pg'
import type { TestServer } from './servers.js'

const SSL_REQUEST = 80877103
const AUTHENTICATION_OK = Buffer.from('R\0\0\0\x08\0\0\0\0', 'latin1')
/** A process id that no server process has, as a pooler invents one. */
const BACKEND_KEY = Buffer.from('K\0\0\0\x0c\x7f\0\0\x01\0\0\0\x2a', 'latin1')
const READY = Buffer.from('Z\0\0\0\x05I', 'latin1')

export interface WireServer {
  readonly port: number
  close(): Promise<void>
}

/**
 * A transaction pooler in a hundred lines: lends a server connection to a client until its transaction ends, and lends
 * the one that came back last first, as PgBouncer does.
 */
export async function startTransactionPooler(target: TestServer, database: string): Promise<WireServer> {
  const idle: Socket[] = []
  const clients: pg.Client[] = []
  const borrow = async (): Promise<Socket> => {
    const waiting = idle.pop()
    if (waiting !== undefined) return waiting
    const { host, port, role, password } = target
    const client = new pg.Client({ host, port, user: role, password, database })
    client.on('error', () => undefined)
    await client.connect()
    clients.push(client)
    // From here on the connection is used raw.
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
    return stream.removeAllListeners('data')
  }
  const listener = await listen((socket) => acceptClient(socket, (client) => pool(client, borrow, idle)))
  return {
    port: listener.port,
    async close() {
      await listener.close()
      for (const client of clients)
        (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy()
    },
  }
}

/** A server that answers every statement with one row of two columns: its version as a number and as a name. */
export async function startServerOfVersion(version: string, name: string): Promise<WireServer> {
  return await listen((socket) =>
    acceptClient(socket, (client) => {
      client.on('data', (data: Buffer) => {
        if (data[0] !== 0x51 /* Q */) return
        const description = message('T', int16(2), column('version', 23), column('name', 25))
        const row = message('D', int16(2), text(version), text(name))
        client.write(Buffer.concat([description, row, message('C', Buffer.from('SELECT 1\0')), READY]))
      })
    }),
  )
}

/** Accepts connections and never says a word, or, with an answer, says that and hangs up. */
export async function startMuteServer(answer?: string, onConnection?: () => void): Promise<WireServer> {
  return await listen((socket) => {
    onConnection?.()
    if (answer !== undefined) socket.end(answer)
  })
}

function pool(client: Socket, borrow: () => Promise<Socket>, idle: Socket[]): void {
  let lent: Promise<Socket> | undefined
  const forward = (data: Buffer) => {
    client.write(data)
    // Good enough for tests: a statement's answer ends with ReadyForQuery, outside a transaction with status I.
    if (!data.subarray(-READY.length).equals(READY)) return
    const returned = lent
    lent = undefined
    void returned?.then((server) => idle.push(server.off('data', forward)))
  }
  client.on('data', async (data: Buffer) => {
    if (data[0] === 0x58 /* X, Terminate */) return
    lent ??= borrow().then((server) => server.on('data', forward))
    ;(await lent).write(data)
  })
}

/** The greeting: no encryption, no password. */
function acceptClient(socket: Socket, serve: (client: Socket) => void): void {
  const greet = (data: Buffer) => {
    if (data.readInt32BE(4) === SSL_REQUEST) {
      socket.write('N')
      return
    }
    socket.off('data', greet)
    serve(socket)
    socket.write(Buffer.concat([AUTHENTICATION_OK, BACKEND_KEY, READY]))
  }
  socket.on('data', greet)
}

async function listen(onConnection: (socket: Socket) => void): Promise<WireServer> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

function column(name: string, typeOid: number): Buffer {
  return Buffer.concat([Buffer.from(`${name}\0`), int32(0), int16(0), int32(typeOid), int16(-1), int32(-1), int16(0)])
}

function text(value: string): Buffer {
  return Buffer.concat([int32(value.length), Buffer.from(value)])
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2)
  buffer.writeInt16BE(value)
  return buffer
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}
