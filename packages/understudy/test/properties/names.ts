/** Names from plain to hostile; shrinking goes towards the plain ones. */
const LONG = `${'ü'.repeat(30)}abc`

export const SCHEMAS = ['public', 'Other "s"', 'app'] as const

const TABLES = [
  ...[
    'places',
    'people',
    'things',
    'notes',
    'events',
    't',
    'Select',
    'order',
    'we"ird',
    "o'clock",
    'a.b',
    'Ünï cödé',
    LONG,
  ],
  ...[
    'r',
    'master_id',
    'records',
    '$json',
    'user',
    'only',
    'x%s',
    'T',
    'backup-index',
    'j1',
    'understudy_stage_1',
    ' ',
  ],
]

const COLUMNS = [
  ...['a', 'b', 'c', 'd', 'e', 'f', 'g', 'k', 'm', 'q', 'v', 'w'],
  ...[
    'r',
    'master_id',
    '$json',
    'records',
    '$origin',
    'line',
    'n',
    'c1',
    'b1',
    'h1',
    'k1',
    't1',
    'l1',
    'found',
    'digest',
  ],
  ...[
    'Order',
    'a "b"',
    '%s',
    "it's",
    '\\',
    LONG,
    'select',
    '$master_id',
    '$value',
    ' ',
    'number',
    'master',
    's',
    't',
    'x',
    'p',
  ],
]

/** The name of a table, unlike those in use in its schema. */
export function tableName(choice: number, position: number, taken: ReadonlySet<string>): string {
  const name = TABLES[choice % TABLES.length] ?? 't'
  return taken.has(name) ? `${name.slice(0, 20)} ${position}` : name
}

/** As many different column names as are asked for, from a place in the list on. */
export function columnNames(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, step) => COLUMNS[(from + step) % COLUMNS.length] ?? `c${step}`)
}
