import { connect } from 'node:net'
import type { Client } from 'pg'

const CANCEL_REQUEST_CODE = 80877102
const TIMEOUT_MS = 2000

/**
 * Asks the server to cancel what a session is running, over a connection made for that (manual, "Canceling Requests in
 * Progress"). Returns when the server has passed it on. Never throws: a statement that is not cancelled runs to its end.
 */
export async function sendCancelRequest(client: Client): Promise<void> {
  const request = Buffer.alloc(16)
  request.writeInt32BE(request.length, 0)
  request.writeInt32BE(CANCEL_REQUEST_CODE, 4)
  // The client keeps both numbers from the beginning of the session; behind a pooler they are the pooler's, as they must be.
  request.writeInt32BE(Number(Reflect.get(client, 'processID')), 8)
  request.writeInt32BE(Number(Reflect.get(client, 'secretKey')), 12)
  const { host, port } = client
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
  await new Promise<void>((resolve) => {
    socket.on('error', () => undefined).on('close', () => resolve())
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy())
    socket.end(request)
    // The answer is the end of the connection, and it is only seen by who reads.
    socket.resume()
  })
}
