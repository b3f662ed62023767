import { quoteLiteral } from '../../src/database/quoting.js'
import { samples } from '../hard/value-table.js'

/** A type for columns that are not keys, with values as SQL expressions. */
export interface ValueType {
  readonly type: string
  value(choice: number): string
}

/** A type for keys: values of different classes are different, those of one class are equal under `=` but may look different. */
export interface KeyType {
  readonly type: string
  /** How many classes there are; none given: as many as are asked for. */
  readonly classes?: number
  value(number: number, look: number): string
}

/** Where the types of the samples live; not emptied between runs. */
export const TYPES_SCHEMA = 'kinds'
/** Where the extensions live. */
export const EXTENSIONS_SCHEMA = 'ext'
export const EXTENSIONS = ['citext', 'hstore', 'ltree'] as const

const TEXTS = [
  ...['', ' ', 'null', 'NULL', '\\.', '\\N', '"', "'", '{}', '[]', '\u0001', '\u0002', '\u001f', '\u007f', '\u0085'],
  ...[
    '\t',
    '\n',
    '\r',
    '\r\n',
    '\u2028',
    '\ufeff',
    '\uffff',
    '🦉',
    'e\u0301',
    '漢',
    'ß',
    'İ',
    '$json',
    '%s',
    '\\u0000',
    '<&>',
    ',',
  ],
]

/** Numbers that look random and are the same for the same choice. */
function* draws(choice: number): Generator<number, never> {
  let state = (choice * 2654435761 + 12345) % 4294967296
  while (true) {
    state = (state * 1664525 + 1013904223) % 4294967296
    yield Math.floor(state / 65536)
  }
}

function someText(choice: number): string {
  if (choice === 0) return 'x'
  const draw = draws(choice)
  return Array.from({ length: draw.next().value % 9 }, () => {
    const number = draw.next().value
    return number % 3 === 0 ? String.fromCodePoint(97 + (number % 26)) : (TEXTS[number % TEXTS.length] ?? '')
  }).join('')
}

function someDigits(choice: number): string {
  const draw = draws(choice)
  const digits = (count: number) => Array.from({ length: count }, () => draw.next().value % 10).join('')
  const sign = draw.next().value % 2 === 0 ? '' : '-'
  return `${sign}${digits(1 + (draw.next().value % 20))}.${digits(draw.next().value % 20)}`.replace(/\.$/, '')
}

const GENERATED: readonly ValueType[] = [
  { type: 'text', value: (choice) => quoteLiteral(someText(choice)) },
  { type: 'integer', value: (choice) => `(${choice * 7919 - 5})` },
  { type: 'numeric', value: (choice) => `'${someDigits(choice)}'::numeric` },
  { type: 'double precision', value: (choice) => `(${choice} / 7.0)::float8` },
  { type: 'real', value: (choice) => `(${choice} / 7.0)::float4` },
  {
    type: 'timestamptz',
    value: (choice) => `(timestamptz '2024-01-01 00:00:00+00' + ${choice} * interval '7 hours 0.000077 seconds')`,
  },
  {
    type: 'text[]',
    value: (choice) => `array[${quoteLiteral(someText(choice))}, null, ${quoteLiteral(someText(choice + 1))}]`,
  },
  {
    type: 'jsonb',
    value: (choice) =>
      `jsonb_build_object(${quoteLiteral(someText(choice))}, ${quoteLiteral(someText(choice + 1))}, '$json', ${someDigits(choice)})`,
  },
  { type: 'bytea', value: (choice) => `sha256(convert_to('${choice}', 'UTF8'))` },
]

const MAX_SQL_LENGTH = 2000
const KNOWN_EXTENSIONS: readonly string[] = EXTENSIONS

/** The samples of the value table that every engine has, by type. */
function sampledTypes(): ValueType[] {
  const byType = new Map<string, string[]>()
  for (const { type, literal, sql, since, extension } of samples) {
    if (since !== undefined || /^xml/.test(type) || type === 'regrole') continue
    if (extension !== undefined && !KNOWN_EXTENSIONS.includes(extension)) continue
    const expression = sql ?? `${quoteLiteral(literal ?? '')}::${type.replace(/ collate .*/, '')}`
    if (expression.length > MAX_SQL_LENGTH || expression.includes('3000000')) continue
    byType.set(type, [...(byType.get(type) ?? []), expression])
  }
  return [...byType].map(([type, expressions]) => ({
    type,
    value: (choice) => expressions[choice % expressions.length] ?? 'null',
  }))
}

export const VALUE_TYPES: readonly ValueType[] = [...GENERATED, ...sampledTypes()]

const SHORT_TEXTS = ['a', 'A', 'ä', 'a b', '"q"', "it's", '\\', '', '{}', 'null', 'a\nb', '$json', '🦉', ',']
const cast = (type: string, text: string) => `${quoteLiteral(text)}::${type}`

/** A key type whose values are written by one function. */
function keyed(type: string, value: (number: number, look: number) => string, classes?: number): KeyType {
  const literal = (number: number, look: number) => cast(type, value(number, look))
  return classes === undefined ? { type, value: literal } : { type, classes, value: literal }
}

const day = (number: number) => new Date(Date.UTC(2024, 0, 1 + number)).toISOString().slice(0, 10)
const hex = (number: number, width: number) => number.toString(16).padStart(width, '0')
const oneOf = (looks: readonly string[], look: number) => looks[look % looks.length] ?? ''

export const KEY_TYPES: readonly KeyType[] = [
  keyed('text', (number) => SHORT_TEXTS[number] ?? `k${number}`),
  keyed('integer', (number) => String(number * 7 - 3)),
  keyed('varchar(30)', (number) => SHORT_TEXTS[number] ?? `k${number}`),
  keyed('character(8)', (number, look) => oneOf([`k${number}`, `k${number}  `], look)),
  keyed('ext.citext', (number, look) => oneOf([`key é${number}`, `KEY é${number}`], look)),
  keyed('bigint', (number) => String(9007199254740993n + BigInt(number))),
  keyed('smallint', (number) => String(number - 2)),
  keyed('numeric', (number, look) =>
    number === 0 ? 'NaN' : oneOf([`${number}`, `${number}.0`, `${number}.00`], look),
  ),
  keyed('numeric(10,2)', (number) => `${number}.10`),
  keyed('double precision', (number, look) =>
    number === 0 ? oneOf(['0', '-0'], look) : number === 1 ? 'NaN' : `${number}.30000000000000004`,
  ),
  keyed('real', (number) => `${number}.1`),
  keyed('date', (number) => ['infinity', '0044-03-15 BC', '-infinity'][number] ?? day(number)),
  keyed('timestamptz', (number) => (number === 0 ? 'infinity' : `${day(number)} 02:30:00.000001+02`)),
  keyed('timestamp', (number) => `${day(number)} 02:30:00.123456`),
  keyed('timestamptz(3)', (number) => `${day(number)} 02:30:00.123+00`),
  keyed('time', (number) => (number === 0 ? '24:00:00' : `00:00:00.${String(number).padStart(6, '0')}`)),
  keyed('timetz', (number) => `12:00:00.${String(number).padStart(6, '0')}+05:30`),
  keyed('interval', (number, look) => oneOf([`${number + 1} mon`, `${(number + 1) * 30} days`], look)),
  keyed('uuid', (number) => `a0eebc99-9c0b-4ef8-bb6d-${hex(number, 12)}`),
  keyed('bytea', (number) => `\\x00ff${hex(number, 4)}`),
  keyed('inet', (number) => `10.0.${number}.1/8`),
  keyed('cidr', (number) => `10.0.${number}.0/24`),
  keyed('macaddr', (number) => `08:00:2b:01:02:${hex(number, 2)}`),
  keyed('boolean', (number) => ['f', 't'][number] ?? '', 2),
  keyed('kinds.mood', (number) => ['sad', 'ok, "fine"', 'über', ''][number] ?? '', 4),
  keyed('kinds.shouted', (number) => ['one', 'two'][number] ?? '', 2),
  keyed('kinds.positive', (number) => String(number + 1)),
  keyed('kinds.code', (number) => `k${number}`),
  keyed('integer[]', (number) => (number === 0 ? '{}' : number === 1 ? '[0:1]={1,2}' : `{${number},NULL}`)),
  keyed('text[]', (number) => (number === 0 ? '{}' : `{"a ${number}","b,c"}`)),
  keyed('numeric[]', (number, look) => oneOf([`{${number}.0,1}`, `{${number},1}`], look)),
  keyed('kinds.ints', (number) => `{${number}}`),
  keyed('money', (number) => `${number}.50`),
  keyed('bit(8)', (number) => (number % 256).toString(2).padStart(8, '0'), 256),
  keyed('varbit', (number) => number.toString(2)),
  keyed('daterange', (number) => `[${day(number)},${day(number + 1)})`),
  keyed('numrange', (number, look) => oneOf([`[${number}.0,500)`, `[${number},500.00)`], look)),
  keyed('int4multirange', (number) => `{[${number},${number + 1})}`),
  keyed('jsonb', (number, look) => oneOf([`{"a": ${number}}`, `{"a": ${number}.0}`], look)),
  keyed('kinds.pair', (number) => `(${number},"x ""y""")`),
  keyed('name', (number) => `n "${number}"`),
  keyed('oid', (number) => String(4294967295 - number)),
  keyed('pg_lsn', (number) => `0/${hex(number, 4).toUpperCase()}`),
  keyed('"char"', (number) => String.fromCharCode(97 + number), 20),
  keyed('tsvector', (number) => `'k${number}':1A`),
  keyed('ext.ltree', (number) => `a.k${number}`),
]
