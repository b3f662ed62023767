import type { AdoptedRelation, Adoption } from '../../adopt/adopt-database.js'
import type { Style } from './colours.js'
import { type Column, formatTable, printable } from './table.js'
import { formatCount } from './units.js'

/** What an adoption records, or would. */
export function renderAdoption(adoption: Adoption, style: Style): string[] {
  const outcome = adoption.isWritten ? style.green('recorded in the registry') : style.yellow('nothing was written')
  return [style.bold(adoption.target), ...WORDS[adoption.how](adoption), outcome]
}

const WORDS = {
  'as-copy': ({ previousInstance, instance, relations, isWritten }: Adoption) => [
    `a copy of ${previousInstance}, with an id of its own from now on${isWritten ? `: ${instance}` : ''}`,
    ...table([relationColumn, { title: 'born in the original', align: 'right' }], relations, (each) => [each.adopted]),
  ],
  'as-original': ({ instance, archive }: Adoption) => [
    `the original, ${instance}: no other database may go by this id`,
    ...(archive === null ? [] : [`the archive ${printable(archive.path)} is its own`]),
  ],
  'by-primary-key': ({ archive, relations }: Adoption) => [
    `shares its history with the source of ${printable(archive?.path ?? '')}`,
    ...table(KEY_COLUMNS, relations, (each) => [
      each.adopted,
      each.equal,
      each.known,
      each.onlyHere,
      each.onlyInArchive,
    ]),
  ],
} satisfies Record<Adoption['how'], (adoption: Adoption) => string[]>

const relationColumn: Column = { title: 'relation' }

const KEY_COLUMNS: readonly Column[] = [
  relationColumn,
  { title: 'declared the same', align: 'right' },
  { title: 'equal', align: 'right' },
  { title: 'known before', align: 'right' },
  { title: 'only here', align: 'right' },
  { title: 'only there', align: 'right' },
]

function table(
  columns: readonly Column[],
  relations: readonly AdoptedRelation[],
  counts: (relation: AdoptedRelation) => readonly (number | null)[],
): string[] {
  if (relations.length === 0) return ['no relation is known by its origin']
  const rows = relations.map((each) => [
    printable(each.relation),
    ...counts(each).map((count) => formatCount(count ?? 0)),
  ])
  return ['', ...formatTable(columns, rows), '']
}
