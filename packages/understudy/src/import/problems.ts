import type { Session } from '../database/port.js'
import { type ErrorCode, type Problem, type ProblemKind, UnderstudyError } from '../errors.js'
import { relationLabel } from '../model/model.js'
import { isSecretName } from '../model/secrets.js'
import type { Load } from './load.js'
import { recordName } from './row-names.js'

/** Rows that a problem holds; `rows` tells of all. */
export const MAX_CASES = 1000
/** Rows that a message names. */
const SHOWN_CASES = 5
const LONGEST_VALUE = 200

interface About {
  readonly kind: ProblemKind
  readonly columns: readonly string[]
  readonly message: (rows: number) => string
}

/**
 * Reads the rows of a problem. `found` is a select of `n` (the record), `value` and `other` (texts), and `other_n` where the other row is a
 * record of the archive too. Empty where it finds none.
 */
export async function readProblem(session: Session, load: Load, about: About, found: string): Promise<Problem[]> {
  const rows = await session.query<{ identity: string; value: string | null; other: string | null; total: number }>(
    `select ${recordName(load, 's')} as identity, left(f.value, ${LONGEST_VALUE + 1}) as value,
            case when f.other_n is null then left(f.other, ${LONGEST_VALUE + 1}) else ${recordName(load, 'o')} end as other, f.total
       from (select x.*, count(*) over () as total from (${found}) x order by x.n limit ${MAX_CASES}) f
       join ${load.stage} s on s.n = f.n
       left join ${load.stage} o on o.n = f.other_n
      order by f.n`,
  )
  const [first] = rows
  if (first === undefined) return []
  const isSecret = about.columns.some(isSecretName)
  return [
    {
      kind: about.kind,
      relation: relationLabel(load.relation),
      column: about.columns.length === 0 ? null : about.columns.join(', '),
      message: about.message(first.total),
      rows: first.total,
      cases: rows.map(({ identity, value, other }) => ({
        identity: shorten(identity),
        value: value === null ? null : isSecret ? '***' : shorten(value),
        // What the database says of a value repeats it.
        other: other === null || (isSecret && about.kind === 'unreadable value') ? null : shorten(other),
      })),
    },
  ]
}

function shorten(text: string): string {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text
}

/** A problem that concerns no rows in particular. */
export function plainProblem(
  kind: ProblemKind,
  relation: string,
  column: string | null,
  message: string,
  rows = 0,
): Problem {
  return { kind, relation, column, message, rows, cases: [] }
}

const OTHER_IDENTITY =
  'A row known by its content is replaced where that changed, so a row that others refer to needs another identity: choose one in the configuration of the source (`relations`) and export again'

/** What each kind is called when several come together, and the way out. */
const KINDS: Readonly<Record<ProblemKind, { readonly what: (count: number) => string; readonly hint: string }>> = {
  incompatible: {
    what: (count) => `the archive does not fit the target in ${plural(count, 'place', 'places')}`,
    hint: 'Bring both databases to the same migrations, or export with --exclude.',
  },
  'not empty': {
    what: () => 'the target is not empty',
    hint: 'An init fills a fresh database. Use --mode replace to bring content into one that is in use.',
  },
  'unrelated rows': {
    what: () => 'rows on both sides have nothing in common',
    hint:
      'Do both databases descend from one, so that the same primary key means the same row? Then `understudy adopt --by primary-key <archive>` ' +
      'declares them the same. Else give the relation a key in the configuration of the source (`relations.<name>.identity`: a list of columns), or ' +
      'make its rows part of their owner’s content (`relations.<name>.owner`), and export again; or leave it out with `--exclude`.',
  },
  'unreadable value': {
    what: (count) => `values of ${plural(count, 'column', 'columns')} do not fit the target's types`,
    hint: 'Correct these values in the source, or widen the types in the target.',
  },
  'missing target': {
    what: (count) => `${plural(count, 'reference finds', 'references find')} no target`,
    hint: 'Bring the targets along (export without --only or --exclude), or choose --on-missing null, skip or placeholder.',
  },
  'taken value': {
    what: () => 'values of unique keys are taken by other rows',
    hint: 'Change one of the two rows, or make this key the identity of the relation. A number that each database makes up itself stays behind if the configuration of the source says so (`relations.<name>.surrogate`).',
  },
  'refused value': {
    what: (count) => `${plural(count, 'check', 'checks')} of the target would not hold`,
    hint: 'Correct these values in the source, or change the check in the target.',
  },
  'null value': {
    what: (count) => `${plural(count, 'column', 'columns')} of the target must not be null`,
    hint: 'Fill these values in the source, or allow null in the target.',
  },
  placeholder: {
    what: () => 'placeholders are missing or cannot be made',
    hint: 'Add the rows to the target, complete `relations.<name>.placeholder` in the configuration, or choose another policy with --on-missing.',
  },
  'stand-in': {
    what: () => 'rows that stand in for others stand beside them',
    hint: 'Delete one of the two rows in the target, or point what refers to the one that stands in to the other.',
  },
  'held row': {
    what: (count) =>
      `${plural(count, 'foreign key does', 'foreign keys do')} not let go of rows that are to be deleted`,
    hint: `Delete what refers to these rows in the target, or point it elsewhere. ${OTHER_IDENTITY}, or let the foreign key be deferrable where the archive brings both sides.`,
  },
  'lost row': {
    what: (count) => `foreign keys would delete rows of ${plural(count, 'relation', 'relations')} that the archive has`,
    hint: `${OTHER_IDENTITY}, or declare the foreign key deferrable, without on delete cascade.`,
  },
}

/** The one refusal of an import: every problem, the kinds in their order, nothing written. */
export function refusal(problems: readonly Problem[], code: ErrorCode = 'IMPORT_REFUSED'): UnderstudyError {
  const kinds = Object.entries(KINDS).flatMap(([kind, { what, hint }]) => {
    const count = problems.filter((problem) => problem.kind === kind).length
    return count === 0 ? [] : [{ what: what(count), hint }]
  })
  return new UnderstudyError(code, kinds.map(({ what }) => what).join('; '), {
    detail: problems.map(describeProblem).join('\n'),
    hint: `${kinds.map(({ hint }) => hint).join(' ')} Nothing was written.`,
    problems,
  })
}

/** One line for people: `people.mail: 1 value is taken …: "ada": "x@x.example" (taken by "eve")`. */
export function describeProblem({ kind, relation, column, message, rows, cases }: Problem): string {
  const where = column === null ? relation : `${relation}.${column}`
  if (cases.length === 0) return `${where}: ${message}`
  const shown = cases.slice(0, SHOWN_CASES).map(({ identity, value, other }) => {
    const what = value === null ? '' : kind === 'missing target' ? ` -> ${value}` : `: ${value}`
    const beside = other === null ? '' : kind === 'taken value' ? ` (taken by ${other})` : ` (${other})`
    return `${identity}${what}${beside}`
  })
  return `${where}: ${message}: ${shown.join('; ')}${rows > shown.length ? '; …' : ''}`
}

/** An expression as PostgreSQL writes it, mostly in brackets already. */
export function bracketed(expression: string): string {
  return /^\(.*\)$/s.test(expression) ? expression : `(${expression})`
}

export function plural(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}
