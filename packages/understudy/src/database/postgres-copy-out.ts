import type { Client } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { sendCancelRequest } from './cancel-request.js'
import { LINES_FORMAT } from './copy-format.js'

/**
 * The rows of a select as a stream of chunks of up to 64 KB. When the consumer stops early, the server is made to end the
 * statement, and what is still on the way is read and thrown away.
 */
export async function* copyOut(client: Client, select: string): AsyncGenerator<Uint8Array> {
  const stream = client.query(copyTo(`copy (${select}) to stdout with (${LINES_FORMAT})`))
  // The iterator below listens too; this one stays when it is gone, so that a late error is never unhandled.
  stream.on('error', () => undefined)
  let isRunning = true
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk
    isRunning = false
  } catch (error) {
    isRunning = false
    throw error
  } finally {
    if (isRunning) await Promise.all([sendCancelRequest(client), drain(stream)])
  }
}

async function drain(stream: ReturnType<typeof copyTo>): Promise<void> {
  try {
    for await (const _ of stream.iterator({ destroyOnReturn: false }));
  } catch {
    // The server reports that the statement was cancelled, which is what was asked for.
  }
}
