import type { Catalog, Column } from '../catalog/catalog.js'
import { quoteLiteral, quoteQualified } from '../database/quoting.js'
import { type ContentModel, relationLabel } from './model.js'
import { createSqlContext } from './sql-context.js'

/** A text with a number of a sequence in it, as a default makes it: `'INV-' || nextval('invoice_no')`. */
export interface NumberedText {
  readonly before: string
  readonly after: string
}

type Part = { readonly literal: string } | { readonly isNumber: true }

/** What stands before and after the number of the sequence; null where a default is not made of constant texts and one number alone. */
export function numberedText({ default: expression }: Pick<Column, 'default'>): NumberedText | null {
  const parts = expression === null ? null : partsOf(expression)
  const position = parts?.findIndex((part) => 'isNumber' in part) ?? -1
  if (parts === null || position < 0) return null
  const [before, after] = [parts.slice(0, position), parts.slice(position + 1)].map(joinLiterals)
  return before === null || before === undefined || after === null || after === undefined ? null : { before, after }
}

/** A select of the highest and the lowest number in a column of such texts. */
export function numbersIn(from: string, column: string, { before, after }: NumberedText): string {
  const text = `(${column}::text collate "C")`
  const length = `greatest(length(${text}) - ${[...before].length + [...after].length}, 0)`
  return `select max(x.number) as highest, min(x.number) as lowest
            from (select case when d.digits ~ '^ *[0-9]{1,18}$' then d.digits::int8 end as number
                    from (select substr(${text}, ${[...before].length + 1}, ${length}) as digits
                            from ${from}
                           where starts_with(${text}, ${quoteLiteral(before)}) and right(${text}, ${[...after].length}) = ${quoteLiteral(after)}) d) x`
}

/** A column whose default takes a number of a sequence in a way that its values do not tell it. */
export interface UnreadableNumber {
  readonly relation: string
  readonly column: string
  readonly sequence: string
}

/** By relation and column, in the model's order. Looks at the catalog only, not at rows. */
export function findUnreadableNumbers(catalog: Catalog, model: ContentModel): UnreadableNumber[] {
  const { relations } = createSqlContext(catalog, model, null)
  return model.relations.flatMap((relation) => {
    const label = relationLabel(relation)
    const columns = relations.get(label)?.columns ?? []
    return columns.flatMap((column) =>
      column.sequence === null || isCounted(column) || numberedText(column) !== null
        ? []
        : [{ relation: label, column: column.name, sequence: quoteQualified(column.sequence) }],
    )
  })
}

export function describeUnreadable({ sequence }: Pick<UnreadableNumber, 'sequence'>): string {
  return `takes numbers of the sequence ${sequence} in a way that its values do not tell: an import does not move the sequence on, and its next number may be taken`
}

/** Whether a column holds the numbers of its sequence as they are. */
export function isCounted({ baseType }: Pick<Column, 'baseType'>): boolean {
  return /^(smallint|integer|bigint|numeric(\(.*\))?)$/.test(baseType)
}

function joinLiterals(parts: readonly Part[]): string | null {
  const texts = parts.map((part) => ('literal' in part ? part.literal : null))
  return texts.includes(null) ? null : texts.join('')
}

/** The texts and numbers that an expression puts together; null where it does anything else. */
function partsOf(expression: string): Part[] | null {
  const bare = withoutCasts(expression)
  const pieces = splitOutside(bare, '||')
  if (pieces.length > 1) return flatten(pieces.map(partsOf))
  const literal = literalOf(bare)
  if (literal !== null) return [{ literal }]
  const [, name, list] = /^([a-z_]+)\((.*)\)$/s.exec(bare) ?? []
  if (name === undefined || list === undefined) return null
  const [first = '', ...more] = splitOutside(list, ',')
  if (name === 'concat') return flatten([first, ...more].map(partsOf))
  if (name === 'nextval' && more.length === 0) return [{ isNumber: true }]
  const isPadded = name === 'lpad' && more.length === 2 && literalOf(withoutCasts(more[1] ?? '')) === '0'
  const isMasked = name === 'to_char' && /^(FM)?[09]+$/.test(literalOf(withoutCasts(more[0] ?? '')) ?? '')
  return (isPadded || isMasked) && /^nextval\([^()]*\)$/.test(withoutCasts(first)) ? [{ isNumber: true }] : null
}

function flatten(parts: readonly (Part[] | null)[]): Part[] | null {
  return parts.some((each) => each === null) ? null : parts.flatMap((each) => each ?? [])
}

function literalOf(text: string): string | null {
  const [, inner] = /^'((?:[^']|'')*)'$/.exec(text) ?? []
  return inner === undefined ? null : inner.replaceAll("''", "'")
}

/** `(('a'::text))::character varying(20)` -> `'a'` */
function withoutCasts(expression: string): string {
  const text = expression.trim()
  const casts = splitOutside(text, '::')
  if (casts.length > 1) {
    const [value = '', ...types] = casts
    return types.every((type) => /^[\w ."]+(\(\d+\))?$/.test(type)) ? withoutCasts(value) : text
  }
  const isWrapped = text.startsWith('(') && splitOutside(text.slice(1, -1), ')').length === 1 && text.endsWith(')')
  return isWrapped ? withoutCasts(text.slice(1, -1)) : text
}

/** Splits at a separator that stands outside of brackets and quotes. */
function splitOutside(text: string, separator: string): string[] {
  const pieces: string[] = []
  let depth = 0
  let isQuoted = false
  let start = 0
  for (let index = 0; index < text.length; index++) {
    const sign = text[index]
    if (sign === "'") isQuoted = !isQuoted
    if (isQuoted) continue
    if (depth === 0 && text.startsWith(separator, index)) {
      pieces.push(text.slice(start, index))
      start = index + separator.length
      index = start - 1
    } else if (sign === '(') depth++
    else if (sign === ')') depth--
  }
  return [...pieces, text.slice(start)]
}
