/** Collects the joins of one select and hands out their aliases. */
export class Joins {
  readonly #clauses: string[] = []

  add(table: string, condition: (alias: string) => string): string {
    const alias = `j${this.#clauses.length + 1}`
    this.#clauses.push(`left join ${table} ${alias} on ${condition(alias)}`)
    return alias
  }

  toString(): string {
    return this.#clauses.join('\n')
  }
}
