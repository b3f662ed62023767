import { expect, test } from 'vitest'
import { RecordScanner } from '../../src/archive/record-scanner.js'
import { DocumentSink } from '../../src/archive/record-sinks.js'

const MIB = 1024 * 1024
const LINES = Array.from({ length: 200_000 }, (_, at) => `{"master_id":${at},"name":"${'x'.repeat(80)} ${at}"}`)

/** The pieces of a document's body, as its consumer gets them; `use` is called with each. */
function piecesOf(use: (sink: DocumentSink, piece: Buffer) => void): void {
  const sink = new DocumentSink()
  const scanner = new RecordScanner(sink, { label: 'public.t' })
  for (const made of scanner.push(Buffer.from(`${LINES.join('\n')}\n`))) if (made.length > 0) use(sink, made)
  const end = scanner.end()
  for (let step = end.next(); !step.done; step = end.next()) if (step.value.length > 0) use(sink, step.value)
  use(sink, sink.finish())
}

test('pieces grow from a quarter of a megabyte to four, and none that is held changes', () => {
  const held: Buffer[] = []
  piecesOf((_, piece) => held.push(piece))
  expect(Buffer.concat(held).equals(Buffer.from(`${LINES.join(',\n')}\n`))).toBe(true)
  const sizes = held.slice(0, -1).map(({ length }) => length / MIB)
  for (const [at, least] of [0.25, 0.5, 1, 2, 4, 4].entries()) {
    expect(sizes[at]).toBeGreaterThanOrEqual(least)
    expect(sizes[at]).toBeLessThan(least + 0.3)
  }
})

test('a piece that was given back is filled again', () => {
  const memory = new Set<ArrayBufferLike>()
  const copies: Buffer[] = []
  piecesOf((sink, piece) => {
    memory.add(piece.buffer)
    copies.push(Buffer.from(piece))
    sink.reuse(piece)
  })
  expect(Buffer.concat(copies).equals(Buffer.from(`${LINES.join(',\n')}\n`))).toBe(true)
  expect(copies.length).toBeGreaterThan(memory.size)
  expect(memory.size).toBeLessThanOrEqual(6)
})
