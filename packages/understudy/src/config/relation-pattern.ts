/**
 * Whether `table` or `schema.table`, with `*` for any characters but a dot, names this relation. A pattern without a dot is about
 * the name alone, in every schema.
 */
export function matchesRelation(
  pattern: string,
  relation: { readonly schema: string; readonly name: string },
): boolean {
  const text = pattern.includes('.') ? `${relation.schema}.${relation.name}` : relation.name
  const source = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  return pattern === relation.name || new RegExp(`^${source.join('[^.]*')}$`, 's').test(text)
}
