import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digestLines } from '../../src/validate/content-digest.js'

test('the digest is the same wherever chunks break, whatever the order, and differs where a line is missing or doubled', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.json(), { minLength: 1 }),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(),
      async (lines, size, seed) => {
        const digest = await digestLines(chunksOf(lines, size))
        const turned = [...lines.slice(seed % lines.length), ...lines.slice(0, seed % lines.length)]
        expect(await digestLines(chunksOf(turned, 7))).toEqual(digest)
        expect(await digestLines(chunksOf(lines.slice(1), size))).not.toEqual(digest)
        expect(await digestLines(chunksOf([...lines, lines[0] ?? ''], size))).not.toEqual(digest)
      },
    ),
    { numRuns: 50 },
  )
})

test('the digest is the sums of the first and second eight bytes of each SHA-256, as the server computes it', async () => {
  const halves = ['{"a":1}', '{"a":2}'].map((line) => {
    const digest = createHash('sha256').update(line).digest()
    return [digest.readBigInt64BE(0), digest.readBigInt64BE(8)] as const
  })
  const sum = (index: 0 | 1) => String(halves.reduce((total, half) => total + half[index], 0n))
  expect(await digestLines(chunksOf(['{"a":1}', '{"a":2}'], 5))).toEqual({ rows: 2, first: sum(0), second: sum(1) })
})

async function* chunksOf(lines: readonly string[], size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(lines.map((line, index) => `${index + 1}\x02[1,"ü"]\x02${line}\n`).join(''))
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
