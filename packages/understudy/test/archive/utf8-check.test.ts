import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Utf8Check } from '../../src/archive/utf8-check.js'

function checkInPieces(bytes: Buffer, cuts: readonly number[]): boolean {
  const check = new Utf8Check()
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const isFine = places.slice(1).every((to, at) => check.accepts(bytes.subarray(places[at], to)))
  return isFine && check.isComplete()
}

test('accepts text however it is cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat()), (text, cuts) => {
      expect(checkInPieces(Buffer.from(text), cuts)).toBe(true)
    }),
  )
})

test('agrees with the check of the whole on any bytes', () => {
  const bytes = fc.array(
    fc.constantFrom(0x41, 0x80, 0xbf, 0xc0, 0xc3, 0xe2, 0x82, 0xed, 0xa0, 0xf0, 0x9f, 0xf4, 0xf8, 0xff),
  )
  fc.assert(
    fc.property(bytes, fc.array(fc.nat()), (values, cuts) => {
      const buffer = Buffer.from(values)
      expect(checkInPieces(buffer, cuts)).toBe(isUtf8(buffer))
    }),
    { numRuns: 2000 },
  )
})
