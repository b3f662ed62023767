import type { Catalog, Column, ForeignKey, Relation } from '../catalog/catalog.js'
import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { type ComputedReference, describeComputed, findComputedReferences } from '../model/computed-references.js'
import { type ContentModel, type ContentRelation, findRelation, relationLabel } from '../model/model.js'
import { describeUnreadable, findUnreadableNumbers, type UnreadableNumber } from '../model/numbered-text.js'
import { isSecretName } from '../model/secrets.js'
import { createSqlContext, type SqlContext } from '../model/sql-context.js'
import {
  describeUndeclared,
  findUndeclaredReferences,
  type UndeclaredReference,
} from '../model/undeclared-references.js'
import { findWritingTriggers, type WritingTrigger } from '../model/writing-triggers.js'

export type WarningKind =
  | 'nullable identity'
  | 'whole-row identity'
  | 'numbered identity'
  | 'content referred to'
  | 'undeclared reference'
  | 'computed reference'
  | 'unreadable number'
  | 'literal id as default'
  | 'secret'
  | 'rewrite rule'
  | 'trigger fills a key'
  | 'constraint trigger writes'

/** Something that a person should decide before the first export. */
export interface Warning {
  readonly relation: string
  readonly column: string | null
  readonly kind: WarningKind
  readonly message: string
}

/** What is doubtful about a model, by relation. Looks at the catalog only, not at rows. */
export async function findWarnings(
  session: Session,
  catalog: Catalog,
  model: ContentModel,
  settings: Pick<Settings, 'references'>,
): Promise<Warning[]> {
  const context = createSqlContext(catalog, model, null)
  const undeclared = findUndeclaredReferences(catalog, model, settings)
  const computed = [
    ...findComputedReferences(catalog, model).map(computedWarning),
    ...findUnreadableNumbers(catalog, model).map(unreadableWarning),
  ]
  const sources = await readTriggerSources(session)
  const writing = await findWritingTriggers(session, context, model.relations)
  return model.relations.flatMap((relation) => {
    const facts = context.relations.get(relationLabel(relation))
    if (facts === undefined) return []
    return [
      ...identityWarnings(relation, facts),
      ...contentWarnings(relation, facts, context),
      ...facts.columns.flatMap((column) => columnWarnings(relation, column, undeclared)),
      ...computed.filter((each) => each.relation === relationLabel(relation)),
      ...ruleWarnings(relation, facts),
      ...triggerWarnings(relation, facts, sources),
      ...writing.filter((each) => each.relation === relation).map(writingWarning),
    ]
  })
}

function identityWarnings(relation: ContentRelation, facts: Relation): Warning[] {
  const label = relationLabel(relation)
  const { identity } = relation
  if (identity.kind === 'content' && identity.owner === null) {
    const message = 'has no key: a changed row arrives as a new one beside the old'
    return [{ relation: label, column: null, kind: 'whole-row identity', message }]
  }
  if (identity.kind !== 'key') return []
  const warnings: Warning[] = []
  for (const name of identity.columns) {
    const column = facts.columns.find((each) => each.name === name)
    if (column?.isNullable === true) {
      const message = 'is part of the identity and may be null: a row without it stops an export'
      warnings.push({ relation: label, column: name, kind: 'nullable identity', message })
    }
  }
  const [only] = identity.columns
  const column = facts.columns.find((each) => each.name === only)
  const isReference = relation.references.some((reference) => reference.columns.includes(only ?? ''))
  if (
    identity.columns.length === 1 &&
    column !== undefined &&
    /^(smallint|integer|bigint)$/.test(column.type) &&
    !isReference
  ) {
    const message = 'is a number that nothing generates: the same number must mean the same row in every database'
    warnings.push({ relation: label, column: column.name, kind: 'numbered identity', message })
  }
  return warnings
}

/** What changes is deleted and inserted anew: rows that refer to it are in the way, unless they are replaced too or may be written meanwhile. */
function contentWarnings(relation: ContentRelation, facts: Relation, context: SqlContext): Warning[] {
  if (relation.identity.kind !== 'content') return []
  const others = [...context.relations.values()].filter(
    (other) => other !== facts && !other.isPartition && findRelation(context.model, other)?.identity.kind !== 'content',
  )
  return others.flatMap((other) =>
    other.foreignKeys
      .filter((key) => key.target === facts.oid && !key.isInherited && actsAtOnce(key))
      .map((key): Warning => {
        const what = key.onDelete === 'cascade' ? 'deletes that row or' : 'does not let it go and'
        const message = `is known by its content, so a row that changes is replaced; where one of ${relationLabel(other)} refers to it, the foreign key ${key.name} ${what} the import is refused: choose another identity`
        return { relation: relationLabel(relation), column: null, kind: 'content referred to', message }
      }),
  )
}

function actsAtOnce({ onDelete, isDeferrable }: ForeignKey): boolean {
  return onDelete === 'cascade' || onDelete === 'restrict' || (onDelete === 'no action' && !isDeferrable)
}

function columnWarnings(
  relation: ContentRelation,
  column: Column,
  undeclared: readonly UndeclaredReference[],
): Warning[] {
  if (column.isGenerated) return []
  const label = relationLabel(relation)
  const warn = (kind: WarningKind, message: string): Warning => ({
    relation: label,
    column: column.name,
    kind,
    message,
  })
  const reference = relation.references.find((each) => each.columns.includes(column.name))
  const own = undeclared.find((each) => each.relation === label && each.column === column.name)
  const warnings = own === undefined ? [] : [warn('undeclared reference', describeUndeclared(own))]
  const literal = /^\(?'?(-?\d+)'?\)?(::[\w ]+)?$/.exec(column.default ?? '')?.[1]
  const none = relation.columns.find(({ name }) => name === column.name)?.translation?.none ?? []
  if (reference !== undefined && literal !== undefined && !none.includes(literal)) {
    const isNone = reference.kind === 'declared' && reference.shape === 'value'
    const advice = isNone ? '; if it means that there is no row, say so with `none` in `references`' : ''
    warnings.push(
      warn(
        'literal id as default',
        `has the literal id ${column.default} as default, which means another row in another database${advice}`,
      ),
    )
  }
  const isMasked = relation.columns.some((each) => each.name === column.name && each.mask !== undefined)
  if (!isMasked && isSecretName(column.name)) {
    warnings.push(warn('secret', 'smells of a secret and travels in the archive: mask it in the configuration'))
  }
  return warnings
}

function computedWarning(reference: ComputedReference): Warning {
  const { relation, column } = reference
  return { relation, column, kind: 'computed reference', message: describeComputed(reference) }
}

function unreadableWarning(number: UnreadableNumber): Warning {
  const { relation, column } = number
  return { relation, column, kind: 'unreadable number', message: describeUnreadable(number) }
}

function ruleWarnings(relation: ContentRelation, facts: Relation): Warning[] {
  if (facts.rules.length === 0) return []
  const message = `has rewrite rules (${facts.rules.join(', ')}), which change what is written: an import into it is refused`
  return [{ relation: relationLabel(relation), column: null, kind: 'rewrite rule', message }]
}

function triggerWarnings(relation: ContentRelation, facts: Relation, sources: ReadonlyMap<string, string>): Warning[] {
  const keys = [...relation.surrogate, ...(relation.identity.kind === 'key' ? relation.identity.columns : [])]
  return facts.triggers
    .filter((trigger) => trigger.isBeforeRow && trigger.state !== 'disabled')
    .flatMap((trigger) => {
      const source = sources.get(trigger.function) ?? ''
      const filled = keys.filter((name) =>
        new RegExp(`\\bnew\\s*\\.\\s*"?${escapePattern(name)}"?\\s*:?=[^=]`, 'i').test(source),
      )
      return filled.map((column): Warning => {
        const message = `is set by the trigger ${trigger.name}; an import suspends it`
        return { relation: relationLabel(relation), column, kind: 'trigger fills a key', message }
      })
    })
}

function writingWarning({ relation, trigger, verb }: WritingTrigger): Warning {
  const message = `has the constraint trigger ${trigger.name}, whose function ${trigger.function} ${verb}: an import does not suspend it`
  return { relation: relationLabel(relation), column: null, kind: 'constraint trigger writes', message }
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
}

async function readTriggerSources(session: Session): Promise<Map<string, string>> {
  const rows = await session.query<{ function: string; source: string }>(
    `select distinct p.oid::regproc::text as function, p.prosrc as source
       from pg_catalog.pg_trigger t
       join pg_catalog.pg_proc p on p.oid = t.tgfoid
      where not t.tgisinternal and t.tgtype & 3 = 3 /* before, for each row */`,
  )
  return new Map(rows.map((row) => [row.function, row.source]))
}
