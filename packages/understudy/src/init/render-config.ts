import type { InspectedRelation, Inspection } from '../inspect/inspect-database.js'
import type { Warning } from '../inspect/warnings.js'
import { comment, key, literal } from './source-text.js'

/**
 * The text of `understudy.config.ts` for an inspected database. Suggestions are comments: taking away `// ` before one puts it into
 * effect. `database` is its URL without a password, or null where DATABASE_URL names it.
 */
export function renderConfig(inspection: Inspection, database: string | null): string {
  const suggestions = inspection.relations.flatMap((relation) => suggestRelation(relation, inspection))
  const lines = [
    "import { defineConfig } from 'understudy'",
    '',
    ...introduction(inspection),
    'export default defineConfig({',
    ...databaseLines(inspection, database),
    ...indent(['', '// Where archives are written and looked for.', "archives: 'data/sync',"]),
    ...indent(['', '// Writing into a `production` database asks for its name.', "// environment: 'production',"]),
    ...indent(['', '// Relations that are not content: logs, sessions, queues. `*` stands for any characters.']),
    ...indent(['exclude: [', ...indent(["// '*_log',"]), '],']),
    ...section('relations', RELATIONS_INTRODUCTION, suggestions),
    ...section('references', REFERENCES_INTRODUCTION, suggestReferences(inspection)),
    '})',
  ]
  return `${lines.join('\n')}\n`
}

const RELATIONS_INTRODUCTION = [
  '// How rows are recognised, where the catalog does not say it well: `identity` is a list of columns, or',
  "// 'origin' (where the row was born), or 'content' (all of it; `owner` names the column that refers to its owner).",
]

const REFERENCES_INTRODUCTION = [
  '// References that no foreign key declares: a number or a name that stands for a row.',
]

function introduction({ label, relations, problems, warnings }: Inspection): string[] {
  const withKey = relations.filter(({ identity }) => identity.kind === 'key').length
  const remarks = warnings.filter(({ kind }) => REMARKS.has(kind))
  return [
    `// Written by \`understudy init\` from ${comment(label)}: ${relations.length} relations, ${withKey} of them with a natural key.`,
    '// Everything here is optional; `understudy inspect` shows what comes of it.',
    ...list('What stops an export until it is mended:', problems),
    ...list('To know:', remarks.map(describe)),
  ]
}

/** Warnings that no line of the configuration answers. */
const REMARKS: ReadonlySet<Warning['kind']> = new Set([
  'literal id as default',
  'rewrite rule',
  'trigger fills a key',
  'constraint trigger writes',
  'unreadable number',
])

function databaseLines({ label }: Inspection, database: string | null): string[] {
  const explained = '// DATABASE_URL, in the environment or in `.env` beside this file, wins over this line.'
  const line = `database: ${literal(database ?? label)},`
  return indent([explained, database === null ? `// ${line}` : line])
}

/** What is doubtful about one relation, and a line that would settle it. */
function suggestRelation(relation: InspectedRelation, { warnings, proposals }: Inspection): string[] {
  const own = warnings.filter((warning) => warning.relation === relation.relation)
  const secrets = own.filter(({ kind }) => kind === 'secret')
  const doubts = own.filter(({ kind }) => kind.endsWith('identity'))
  const keys = proposals.filter((one) => one.relation === relation.relation).map(({ columns }) => columns)
  const { kind, reason } = relation.identity
  const parts = [
    ...keys.slice(0, 1).map((columns) => `identity: ${names(columns)}`),
    ...(secrets.length > 0
      ? [`mask: { ${secrets.map(({ column }) => `${key(column ?? '')}: "''"`).join(', ')} }`]
      : []),
  ]
  return [
    ...(kind === 'key' ? [] : [`// ${comment(`${relation.relation}: ${kind}, ${reason}`)}`]),
    ...[...doubts, ...secrets].map((warning) => `// ${describe(warning)}`),
    ...(keys.length > 0 ? [`// Today its rows are told apart by ${keys.map(names).join(' or ')}.`] : []),
    ...(parts.length > 0 ? [`// ${key(configName(relation))}: { ${parts.join(', ')} },`] : []),
  ]
}

function suggestReferences({ relations, warnings }: Inspection): string[] {
  const names = new Map(relations.map((relation) => [relation.relation, configName(relation)]))
  return warnings
    .filter(({ kind }) => kind === 'undeclared reference')
    .flatMap((warning) => [
      `// ${describe(warning)}`,
      `// ${literal(`${names.get(warning.relation)}.${warning.column}`)}: { to: 'table.column' }, // or false: it is none`,
    ])
}

/** A relation as the configuration calls it. */
function configName({ schema, name }: InspectedRelation): string {
  return schema === 'public' ? name : `${schema}.${name}`
}

function describe({ relation, column, message }: Warning): string {
  return comment(`${relation}${column === null ? '' : `.${column}`} ${message}`)
}

function names(columns: readonly string[]): string {
  return `[${columns.map(literal).join(', ')}]`
}

function list(heading: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ['//', `// ${heading}`, ...items.map((item) => `// - ${comment(item)}`)]
}

function section(name: string, introduced: readonly string[], lines: readonly string[]): string[] {
  const entries = lines.length === 0 ? [`${name}: {},`] : [`${name}: {`, ...indent(lines), '},']
  return indent(['', ...introduced, ...entries])
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`))
}
