import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RecordScanner } from '../../src/archive/record-scanner.js'
import { DocumentSink, StagingSink } from '../../src/archive/record-sinks.js'
import type { UnderstudyError } from '../../src/errors.js'

interface Scan {
  readonly separated?: boolean
  readonly chunk?: number
  readonly maxRecordBytes?: number
}

function scan(text: string | Buffer, { separated, chunk = 1 << 20, maxRecordBytes }: Scan = {}) {
  const records = separated ? Buffer.from(text).filter((byte) => byte === 10).length : undefined
  const sink = separated ? new StagingSink() : new DocumentSink()
  const scanner = new RecordScanner(sink, { label: 'public.t', separatedRecords: records, maxRecordBytes })
  const bytes = Buffer.from(text)
  const made: Buffer[] = []
  for (let at = 0; at < bytes.length; at += chunk) made.push(...scanner.push(bytes.subarray(at, at + chunk)))
  return { ...finish(scanner, sink, made), records: scanner.records }
}

function finish(scanner: RecordScanner, sink: DocumentSink | StagingSink, made: Buffer[]) {
  const end = scanner.end()
  let step = end.next()
  for (; !step.done; step = end.next()) made.push(step.value)
  if (sink instanceof DocumentSink) made.push(sink.finish())
  return { text: Buffer.concat(made).toString('utf8'), sha256: step.value }
}

interface MarkedLine {
  readonly line: string | Buffer
  readonly firstValueEnd: number
}

/** As `scan`, of pieces as the maker of the lines gives them out: broken anywhere, with marks. */
function scanMarked(lines: readonly MarkedLine[], chunk: number, isRaw = false) {
  const sink = new DocumentSink()
  const scanner = new RecordScanner(sink, { label: 'public.t' })
  let end = 0
  const placed = lines.map(({ line, firstValueEnd }) => {
    const start = end
    end += Buffer.byteLength(line) + 2
    return { start, valueEnd: start + firstValueEnd, end }
  })
  const bytes = Buffer.concat(lines.flatMap(({ line }) => [Buffer.from(line), Buffer.from(',\n')]))
  const made: Buffer[] = []
  for (let from = 0; from < bytes.length; ) {
    // An end is never broken.
    const isInEnd = placed.some((each) => each.end - 1 === from + chunk)
    const to = Math.min(bytes.length, from + chunk + (isInEnd ? 1 : 0))
    const first = from === 0 ? from : placed.find((each) => each.end > from && each.end <= to)?.end
    const begin = placed.some(({ start }) => start === from) ? from : first
    const whole = placed.filter((each) => begin !== undefined && each.start >= begin && each.end <= to)
    const marks = begin === undefined ? [] : [begin, ...whole.flatMap((each) => [each.valueEnd, each.end])]
    const piece = {
      bytes: Buffer.from(bytes.subarray(from, to)),
      marks: Int32Array.from(marks, (at) => at - from),
      isRaw,
    }
    made.push(...scanner.pushMarked(piece))
    from = to
  }
  return { ...finish(scanner, sink, made), records: scanner.records }
}

function refusal(text: string | Buffer, options: Scan = {}): UnderstudyError {
  try {
    scan(text, options)
  } catch (error) {
    return error as UnderstudyError
  }
  throw new Error('it was expected to fail')
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const record = fc.tuple(fc.jsonValue(), fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()))
const canonicalOf = ([, columns]: [unknown, object]): string => `${JSON.stringify(columns)}\n`
const lineOf = ([id, columns]: [unknown, object]): string => {
  const rest = JSON.stringify(columns).slice(1)
  return `{"master_id":${JSON.stringify(id)}${rest === '}' ? '' : ','}${rest}`
}

test('takes marked lines as it takes others, however the chunks break', () => {
  fc.assert(
    fc.property(fc.array(record), fc.integer({ min: 1, max: 400 }), (records, chunk) => {
      const lines = records.map((one) => ({
        line: lineOf(one),
        firstValueEnd: Buffer.byteLength(`{"master_id":${JSON.stringify(one[0])}`),
      }))
      const unmarked = scan(lines.map(({ line }) => `${line}\n`).join(''))
      expect(scanMarked(lines, chunk)).toEqual(unmarked)
      expect(scanMarked(lines, chunk, true)).toEqual(unmarked)
    }),
  )
})

test('finds text that is no UTF-8 in marked lines', () => {
  const line = Buffer.from('{"master_id":1,"a":"\xff"}', 'latin1')
  expect(() => scanMarked([{ line, firstValueEnd: 14 }], 100)).toThrow('not valid UTF-8')
})

test('finds a control character in marked lines that may hold some', () => {
  const line = '{"master_id":1,"a":[1,\t2]}'
  expect(() => scanMarked([{ line, firstValueEnd: 14 }], 100, true)).toThrow('control character 0x09')
})

test('turns any records into a document body and that into staging lines, however the chunks break', () => {
  fc.assert(
    fc.property(fc.array(record), fc.integer({ min: 1, max: 40 }), (records, chunk) => {
      const lines = records.map(lineOf)
      const body = scan(lines.map((line) => `${line}\n`).join(''), { chunk })
      expect(body.text).toBe(lines.length === 0 ? '' : `${lines.join(',\n')}\n`)
      expect(body.sha256).toBe(sha256(records.map(canonicalOf).join('')))
      const staged = scan(body.text, { separated: true, chunk })
      expect(staged.sha256).toBe(body.sha256)
      expect(staged.text).toBe(
        records.map((one, at) => `${at + 1}\x02${JSON.stringify(one[0])}\x02${canonicalOf(one)}`).join(''),
      )
    }),
  )
})

test('finds the same records wherever its block ends', () => {
  const line = '{"master_id":"ä\\"1","name":"Straße, }","n":[1, 2]}\n'
  const blockBytes = 256 * 1024
  for (let shift = 0; shift < Buffer.byteLength(line) + 3; shift++) {
    const first = `{"master_id":1,"a":"${'x'.repeat(blockBytes - 60 + shift)}"}\n`
    const body = scan(first + line + line)
    expect(body.text).toBe((first + line + line).replace(/\n(?!$)/g, ',\n'))
    expect(scan(body.text, { separated: true }).sha256).toBe(body.sha256)
  }
})

test('finds a line that repeats the one before it, wherever its buffers end', () => {
  const lines = Array.from({ length: 3000 }, (_, at) => `"a":"${at} ${'x'.repeat(120)}"}\n`)
  const filler = lines.map((line, at) => `{"master_id":${at},${line}`).join('')
  const missing = 2 * 256 * 1024 - lines.reduce((sum, line) => sum + line.length + 1, 0)
  const twins = ['{"master_id":7,"name":"Straße"}\n', '{"master_id":8,"name":"Straße"}\n']
  const refused: number[] = []
  for (let shift = 0; shift < 120; shift++) {
    const first = `{"master_id":1,"a":"${'x'.repeat(missing - 100 + shift)}"}\n`
    const scanner = new RecordScanner(new StagingSink(), { label: 'public.t', refusesRepeats: true })
    try {
      for (const _ of scanner.push(Buffer.from(filler + first + twins.join(''))));
      scanner.end().next()
    } catch (error) {
      expect(String(error)).toContain('record 3003 of public.t is not a valid line: it repeats the one before it')
      refused.push(shift)
    }
  }
  expect(refused).toHaveLength(120)
  const [other] = ['{"master_id":8,"name":"Strasse"}\n']
  const scanner = new RecordScanner(new StagingSink(), { label: 'public.t', refusesRepeats: true })
  for (const _ of scanner.push(Buffer.from([twins[0], other, twins[0]].join(''))));
  scanner.end().next()
  expect(scanner.records).toBe(3)
})

test('streams a record that is much longer than its block', () => {
  const line = `{"master_id":1,"a":"${'x'.repeat(5_000_000)}"}\n`
  const staged = scan(scan(line).text, { separated: true, chunk: 70_001 })
  expect(staged.text).toBe(`1\x021\x02{${line.slice(15)}`)
})

test('counts its lines beyond the digits they began with', () => {
  const lines = '{"master_id":1}\n'.repeat(1000)
  const staged = scan(scan(lines).text, { separated: true }).text.split('\n')
  expect([staged[8], staged[9], staged[98], staged[99], staged[998], staged[999]]).toEqual(
    [9, 10, 99, 100, 999, 1000].map((n) => `${n}\x021\x02{}`),
  )
})

test.each([
  ['a separator of staging columns', '{"master_id":1,"a":"\x02"}\n', 'control character 0x02'],
  ['the quote of COPY', '{"master_id":1,"a":"\x01"}\n', 'control character 0x01'],
  ['a carriage return', '{"master_id":1,"a":1}\r\n', 'control character 0x0d'],
  ['a tab within the master_id', '{"master_id":"\t","a":1}\n', 'does not begin'],
  ['a nul', '{"master_id":1,"a":"\0"}\n', 'control character 0x00'],
  ['the end mark of COPY', '\\.\n', 'does not begin'],
  ['an empty line', '\n', 'does not begin'],
  ['another first key', '{"a":1,"master_id":1}\n', 'does not begin'],
  ['text behind a bare record', '{"master_id":1}x}\n', 'goes on behind'],
  ['a second record in a bare one', '{"master_id":1},{"a":2}\n', 'goes on behind'],
  ['no key behind the comma', '{"master_id":1,}\n', 'no column'],
  ['no closing brace', '{"master_id":1,"a":1\n', 'does not end with "}"'],
  ['no newline', '{"master_id":1,"a":1}', 'not ended'],
  ['half a record', '{"master_id":1', 'not ended'],
])('refuses %s', (_, text, what) => {
  for (const chunk of [1, 7, 1000]) {
    const error = refusal(text, { chunk })
    expect(error).toMatchObject({ code: 'ARCHIVE_LINE_INVALID' })
    expect(error.message).toMatch(/^record 1 of public\.t is not a valid line: /)
    expect(error.message).toContain(what)
  }
})

test('names the number of the record that it refuses', () => {
  expect(refusal('{"master_id":1}\n{"master_id":2}\nx\n').message).toContain('record 3 of public.t')
})

test('refuses bytes that are not UTF-8, and a character that is cut off', () => {
  const broken = Buffer.from('{"master_id":1,"a":"ä"}\n')
  broken[20] = 0xff
  expect(refusal(broken)).toMatchObject({ code: 'ARCHIVE_LINE_INVALID' })
  expect(refusal(Buffer.from([0xc3]))).toMatchObject({ code: 'ARCHIVE_LINE_INVALID' })
})

test('refuses a document whose commas do not fit the number of records', () => {
  expect(refusal('{"master_id":1}\n{"master_id":2}\n', { separated: true }).message).toContain('although more records')
  expect(refusal('{"master_id":1},\n{"master_id":2},\n', { separated: true }).message).toContain(
    'does not end with "}"',
  )
  expect(refusal('{"master_id":1,"a":2},\n', { separated: true }).message).toContain('does not end with "}"')
})

test('ends a record beyond the limit with an error that names it', () => {
  const line = `{"master_id":1,"a":"${'x'.repeat(1_000_000)}"}\n`
  expect(refusal(`{"master_id":0}\n${line}`, { maxRecordBytes: 999_999 })).toMatchObject({
    code: 'ARCHIVE_TOO_LARGE',
    message: 'record 2 of public.t is too long: longer than 999999 bytes',
  })
  expect(scan(line, { maxRecordBytes: line.length - 1 }).records).toBe(1)
  expect(refusal(line, { maxRecordBytes: line.length - 2 })).toMatchObject({ code: 'ARCHIVE_TOO_LARGE' })
})

test('refuses a master_id that fills a whole block', () => {
  expect(refusal(`{"master_id":"${'x'.repeat(300_000)}"}\n`)).toMatchObject({ code: 'ARCHIVE_TOO_LARGE' })
})
