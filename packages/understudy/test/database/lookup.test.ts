import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Lookup, type LookupLimits } from '../../src/database/lookup.js'

const LIMITS: LookupLimits = { bytes: 64 * 1024 * 1024, textBytes: 1024 }

async function* chunks(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function lookupOf(entries: Readonly<Record<string, string>>, limits = LIMITS, size = 65_536) {
  const lines = Object.entries(entries).map(([key, text]) => `${key}:${text}\n`)
  return await Lookup.read(chunks(lines.join(''), size), limits)
}

/** What a key stands for, or null. The key is given in the middle of other bytes, and the text is written in the middle of others. */
function find(lookup: Lookup | null, key: string): string | null {
  if (lookup === null) throw new Error('there is no lookup')
  const source = Buffer.from(`7\t${key}\t7`)
  const out = Buffer.alloc(5 + lookup.longest + 4, 0x2e)
  const end = lookup.write(source, 2, source.length - 2, new DataView(out.buffer, out.byteOffset, out.length), 5)
  expect(out.subarray(0, 5).toString()).toBe('.....')
  return end < 0 ? null : out.subarray(5, end).toString()
}

describe('a lookup', () => {
  test('gives each key its text, of any length', async () => {
    const entries = Object.fromEntries(
      Array.from({ length: 300 }, (_, length) => [`${length - 20}`, JSON.stringify('ä"x\n'.repeat(length))]),
    )
    const lookup = await lookupOf(entries, { ...LIMITS, textBytes: 10_000 })
    for (const [key, text] of Object.entries(entries)) expect(find(lookup, key)).toBe(text)
    expect(lookup?.longest).toBe(Math.max(...Object.values(entries).map((text) => Buffer.byteLength(text))))
  })

  test('knows no other key, be it the beginning or the end of one, or a text', async () => {
    const lookup = await lookupOf({ 12: '"a"', 123: '1', 23: 'null', '-1': '"b"' })
    expect(find(lookup, '12')).toBe('"a"')
    expect(find(lookup, '123')).toBe('1')
    expect(find(lookup, '23')).toBe('null')
    expect(find(lookup, '-1')).toBe('"b"')
    for (const key of ['1', '2', '3', '1234', '0', '"a"', '', '13', '-12', '012']) expect(find(lookup, key)).toBe(null)
  })

  test('that is empty knows none', async () => {
    const lookup = await lookupOf({})
    expect(find(lookup, '1')).toBe(null)
    expect(find(lookup, '')).toBe(null)
  })

  test('reads lines in chunks that break anywhere', async () => {
    for (const size of [1, 2, 3, 5, 7]) {
      const lookup = await lookupOf({ 1: '"eins"', 22: '["a",2]', 333: '"€"' }, LIMITS, size)
      expect([find(lookup, '1'), find(lookup, '22'), find(lookup, '333')]).toEqual(['"eins"', '["a",2]', '"€"'])
    }
  })

  test('is none beyond its limits, and none where a key comes twice', async () => {
    const entries = { 1: '"12345678"', 2: '"1"' }
    const bytes = Buffer.byteLength('1:"12345678"\n2:"1"\n')
    expect(await lookupOf(entries, { bytes, textBytes: 10 })).not.toBe(null)
    expect(await lookupOf(entries, { bytes: bytes - 1, textBytes: 10 })).toBe(null)
    expect(await lookupOf(entries, { bytes, textBytes: 9 })).toBe(null)
    expect(await Lookup.read(chunks('1:"a"\n2:"b"\n1:"a"\n', 100), LIMITS)).toBe(null)
  })

  // As serial numbers, steps, numbers of several servers, and uuids of all kinds do.
  const KEYS: Readonly<Record<string, (n: number) => string>> = {
    'numbers that follow each other': (n) => String(n + 1_000_000),
    'negative numbers': (n) => String(-n),
    'numbers of two ranges': (n) => String(n % 2 === 0 ? n : n + 1_000_000),
    'numbers on both sides of zero': (n) => String(n - 2_500),
    'every hundredth number': (n) => String(n * 100),
    'numbers a power of two apart': (n) => String(n * 1024 + 3),
    'numbers of time, server and count': (n) => String((BigInt(n) << 22n) + (1n << 60n)),
    'random uuids': () => randomUUID(),
    'uuids that count': (n) => `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`,
  }
  test.each(Object.entries(KEYS))('finds %s', async (_, key) => {
    const keys = Array.from({ length: 5_000 }, (_, n) => key(n))
    const lookup = await lookupOf(Object.fromEntries(keys.map((each) => [each, `"${each}"`])))
    for (const each of keys) if (find(lookup, each) !== `"${each}"`) throw new Error(each)
    expect(find(lookup, key(5_000))).toBe(null)
  })

  test('is none where keys would crowd', async () => {
    // `0a` and `49` weigh the same: all of these are one number.
    const pairs = (n: number, count: number) =>
      Array.from({ length: count }, (_, bit) => ((n >> bit) & 1 ? '0a' : '49')).join('')
    const keys = Array.from({ length: 20_000 }, (_, n) =>
      [pairs(n >> 12, 4), pairs(n >> 10, 2), pairs(n >> 8, 2), pairs(n >> 6, 2), pairs(n, 6)].join('-'),
    )
    expect(new Set(keys).size).toBe(20_000)
    expect(await lookupOf(Object.fromEntries(keys.map((each) => [each, '1'])))).toBe(null)
    expect(await lookupOf(Object.fromEntries(keys.slice(0, 8).map((each) => [each, '1'])))).not.toBe(null)
  })
})
