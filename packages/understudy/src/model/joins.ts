/** Collects the joins of one select and hands out their aliases. What would be joined twice in the same way, is joined once. */
export class Joins {
  /** By what they say, the alias left out. */
  readonly #aliases = new Map<string, string>()
  readonly #clauses: string[] = []

  add(table: string, condition: (alias: string) => string): string {
    const key = joinClause(table, '', condition)
    const known = this.#aliases.get(key)
    if (known !== undefined) return known
    const alias = `j${this.#aliases.size + 1}`
    this.#aliases.set(key, alias)
    this.#clauses.push(joinClause(table, alias, condition))
    return alias
  }

  toString(): string {
    return this.#clauses.join('\n')
  }
}

function joinClause(table: string, alias: string, condition: (alias: string) => string): string {
  return `left join ${table} ${alias} on ${condition(alias)}`
}
