import { quoteLiteral } from '../database/quoting.js'
import { leavesOf } from './leaves.js'
import {
  type Alternative,
  type ContentColumn,
  type ContentModel,
  type ContentRelation,
  relationLabel,
  relationOf,
} from './model.js'

/**
 * The column that decides what a reference with several targets points to, where it refers to rows itself, as an id of content types does. Its value
 * then means something in this database only, and what decides is the identity of that row.
 */
export interface DecidingReference {
  readonly alternative: Alternative
  /** The parts of that identity, by their paths. */
  readonly parts: readonly string[]
}

/** Null where the deciding column holds a plain value. */
export function decidingReference(
  model: ContentModel,
  relation: ContentRelation,
  name: string,
): DecidingReference | null {
  const [alternative] = relation.columns.find((column) => column.name === name)?.translation?.alternatives ?? []
  if (alternative === undefined) return null
  return { alternative, parts: leavesOf(model, relationOf(model, alternative.target)).map(({ path }) => path) }
}

/** What decides, as one text: of a plain value, or of the JSON of an identity. */
export function decidingText(reference: DecidingReference | null, value: string): string {
  if (reference === null) return `${value}::text`
  if (reference.parts.length === 1) return `(to_json(${value}) #>> '{}')`
  const texts = reference.parts.map((_, index) => `to_json(to_json(${value}) ->> ${index})::text`)
  return `(${texts.join(` || ',' || `)})`
}

/** The literal that such a text is compared with. An identity of several parts stands in the configuration as a JSON array. */
export function decidingLiteral(reference: DecidingReference | null, when: string): string {
  if (reference === null || reference.parts.length === 1) return quoteLiteral(when)
  return quoteLiteral((partsOf(when, reference.parts.length) ?? []).map((part) => JSON.stringify(part)).join(','))
}

/** What is wrong with the deciding columns of a model, one fact each. */
export function discriminatorProblems(model: ContentModel): string[] {
  return model.relations.flatMap((relation) =>
    relation.columns.flatMap((column) =>
      problemsOf(model, relation, column).map(
        (problem) => `references.${relationLabel(relation)}.${column.name}: ${problem}`,
      ),
    ),
  )
}

function problemsOf(model: ContentModel, relation: ContentRelation, { translation }: ContentColumn): string[] {
  const name = translation?.discriminator ?? null
  if (translation === undefined || name === null) return []
  if (!relation.columns.some((column) => column.name === name))
    return [`by ${name}: its values mean something in this database only`]
  const deciding = decidingReference(model, relation, name)
  if (deciding === null) return []
  const { alternative, parts } = deciding
  const [own] = relation.columns.filter((column) => column.name === name)
  if (own?.translation?.discriminator !== null) return [`by ${name}: what that points to varies itself`]
  if (parts.length === 1) return []
  const form = JSON.stringify(parts.map((path) => `<${path}>`))
  return translation.alternatives
    .filter(({ when }) => partsOf(when ?? '', parts.length) === null)
    .map(
      ({ when }) =>
        `to ${when}: ${name} refers to rows of ${relationLabel(alternative.target)}, whose ids differ between databases; name the row by its identity: '${form}'`,
    )
}

function partsOf(when: string, count: number): string[] | null {
  try {
    const parts: unknown = JSON.parse(when)
    return Array.isArray(parts) && parts.length === count ? parts.map(String) : null
  } catch {
    return null
  }
}
