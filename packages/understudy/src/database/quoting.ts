/** Quotes an identifier, always: reserved words, upper case and quotes need no list of exceptions. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Quotes text as a literal of standard SQL. Needs `standard_conforming_strings`, the default since PostgreSQL 9.1. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** `"schema"."name"`. */
export function quoteQualified(relation: { readonly schema: string; readonly name: string }): string {
  return `${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`
}
