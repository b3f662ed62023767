import { describe, expect, test } from 'vitest'
import type { Database } from '../../src/database/port.js'
import { inspectDatabase } from '../../src/inspect/inspect-database.js'
import { servers } from '../support/engines.js'
import { createStage } from '../support/scenario.js'

const TABLES = 5000
const MANY = `do $$ begin
  for n in 1..${TABLES} loop
    execute format('create table t%s (id int primary key, before int %s)', n, case when n > 1 then format('references t%s', n - 1) end);
    execute format('create view v%s as select id from t%s', n, n);
    if n % 500 = 0 then commit; end if;
  end loop;
end $$`

// The newest server alone: what is large here is large on each of them.
describe.each(servers.slice(0, 1))('what is large on $name', (engine) => {
  test('ten thousand relations are inspected with few queries', async () => {
    const stage = await createStage(engine, '')
    await stage.run(MANY)
    const asked: string[] = []
    const startedAt = performance.now()
    const inspection = await inspectDatabase(stage.settings, { database: counting(stage.created.database, asked) })
    console.log(
      `${2 * TABLES} relations inspected in ${Math.round(performance.now() - startedAt)} ms, ${asked.length} queries`,
    )
    expect(inspection.relations).toHaveLength(TABLES)
    expect(inspection.order).toHaveLength(TABLES)
    expect(inspection.order.slice(0, 2)).toEqual(['t1', 't2'])
    // The catalog, the registry and the warnings in a dozen or two; the rows of never analyzed tables by the hundred.
    expect(asked.length).toBeLessThan(40 + TABLES / 100)
    await stage.created.dispose()
  }, 300_000)

  test('a field of a hundred megabytes arrives', async () => {
    const schema = `create table films (code text primary key, script text);`
    const source = await createStage(engine, `${schema} insert into films values ('a', repeat(E'x "ü"\\n', 14300000))`)
    const target = await createStage(engine, `${schema} insert into films values ('a', 'old')`)
    const { path } = await source.export()
    await target.import(path)
    const digests = `select code, octet_length(script) as bytes, md5(script) as script from films`
    const rows = await target.rows<{ bytes: number }>(digests)
    expect(rows).toEqual(await source.rows(digests))
    expect(rows[0]?.bytes).toBeGreaterThan(100_000_000)
  }, 300_000)
})

/** The same database, noting each query. */
function counting(database: Database, asked: string[]): Database {
  const note = (sql: string) => asked.push(sql)
  return {
    ...database,
    withSession: (use) =>
      database.withSession((session) => {
        const noting = new Proxy(session, {
          get(target, name) {
            const value = Reflect.get(target, name, target)
            if (typeof value !== 'function') return value
            return (...parameters: unknown[]) => {
              if (name === 'query' || name === 'execute' || name === 'script') note(String(parameters[0]))
              return value.apply(target, parameters)
            }
          },
        })
        return use(noting)
      }),
  }
}
