import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CsvError, CsvReader, guessDelimiter } from '../../src/fileset/csv-reader.js'
import { csvLine } from '../../src/fileset/csv-writer.js'

function read(text: string, { delimiter = ',', size = text.length } = {}) {
  const reader = new CsvReader(delimiter)
  const records = []
  for (let at = 0; at < text.length; at += Math.max(size, 1))
    records.push(...reader.push(text.slice(at, at + Math.max(size, 1))))
  return [...records, ...reader.end()]
}

const cellsOf = (text: string, options?: Parameters<typeof read>[1]) => read(text, options).map(({ cells }) => cells)

test('null and the empty text are two things; quotes, delimiters and newlines stand inside quotes', () => {
  expect(cellsOf('a,,""\n"x,""y""\r\nz",b,\n')).toEqual([
    ['a', null, ''],
    ['x,"y"\r\nz', 'b', null],
  ])
})

test('lines end with LF, CRLF or CR, the last one need not, and every record knows its line', () => {
  for (const newline of ['\n', '\r\n', '\r'])
    expect(read(`a${newline}"b\nb"${newline}${newline}c`)).toEqual([
      { line: 1, cells: ['a'] },
      { line: 2, cells: ['b\nb'] },
      { line: 4, cells: [null] },
      { line: 5, cells: ['c'] },
    ])
})

test('a quote inside a cell without quotes is a character; one that is never closed, and text behind one, are errors', () => {
  expect(cellsOf('5" pipe,x\n')).toEqual([['5" pipe', 'x']])
  expect(() => read('a\n"b\n')).toThrow(CsvError)
  expect(() => read('"a"b,c\n')).toThrow('text follows a closing quote')
})

test('the delimiter is what the heading has most of', () => {
  expect(['a,b', 'a;b;"c,d,e,f"\n1,2,3,4', 'a\tb', 'a'].map(guessDelimiter)).toEqual([',', ';', '\t', ','])
})

const cell = fc.option(
  fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom('"', ',', ';', '\n', '\r', ' ', 'a', 'ü', '\t') }),
  ),
)

test('what is written comes back, wherever the text breaks', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(cell, { minLength: 2, maxLength: 2 }), { minLength: 1 }),
      fc.integer({ min: 1, max: 9 }),
      (rows, size) => {
        expect(cellsOf(rows.map(csvLine).join(''), { size })).toEqual(rows)
      },
    ),
  )
})
