import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig, migrateUp, openDatabase } from 'understudy'
import { Databases } from './databases.js'
import { startServer } from './server.js'

/** What the guard costs: each migration once without it, as a script in a transaction, and once with it. */
const MIGRATIONS: readonly { readonly name: string; readonly sql: string; readonly words: readonly string[] }[] = [
  {
    name: 'a new table and two columns',
    sql: 'create table made (id int); alter table big add column a text, add column b int default 7',
    words: [],
  },
  { name: 'a renamed column', sql: 'alter table big rename column c1 to first', words: [] },
  { name: 'a dropped column', sql: 'alter table big drop column c5', words: ['big.c5'] },
  { name: '1 % of the rows updated', sql: `update big set c2 = c2 || '!' where id % 100 = 0`, words: [] },
  { name: 'every row updated', sql: `update big set c2 = c2 || '!'`, words: [] },
]

const rows = Number(process.argv[2] ?? 1_000_000)
const server = await startServer({ isProfile: false })
const databases = await Databases.open(server)
try {
  await databases.create('guard')
  await databases.withSession('guard', (session) =>
    session.script(`
      create table big (id serial primary key, ${Array.from({ length: 11 }, (_, index) => `c${index + 1} text`).join(', ')});
      insert into big (${Array.from({ length: 11 }, (_, index) => `c${index + 1}`).join(', ')})
      select ${Array.from({ length: 11 }, (_, index) => `'value ${index + 1} of ' || n`).join(', ')} from generate_series(1, ${rows}) n`),
  )
  await databases.vacuum('guard')
  for (const { name, sql, words } of MIGRATIONS) {
    const bare = await measureBare(sql)
    const guarded = await measureGuarded(sql, words)
    console.log(`${name.padEnd(30)} ${format(bare)} without, ${format(guarded)} with the guard`)
  }
} finally {
  await databases.dropAll()
  await server.stop()
}

/** The script alone, rolled back. */
async function measureBare(sql: string): Promise<number> {
  return await databases.withSession('guard', async (session) => {
    let durationMs = 0
    await session
      .transaction({}, async () => {
        const startedAt = performance.now()
        await session.script(sql)
        durationMs = performance.now() - startedAt
        throw new Error('rolled back')
      })
      .catch(() => undefined)
    return durationMs
  })
}

/** As a migration, guard and ledger included; it stays. */
async function measureGuarded(sql: string, words: readonly string[]): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-guard-'))
  const database = await openDatabase(databases.url('guard'))
  try {
    await mkdir(join(folder, 'migrations'))
    await writeFile(join(folder, 'understudy.config.json'), '{}')
    await writeFile(join(folder, 'migrations', '001_it.sql'), sql)
    await database.withSession((session) => session.script('drop schema if exists understudy cascade'))
    const settings = await loadConfig({ cwd: folder, environment: {} })
    const { applied } = await migrateUp(settings, { database, allowLoss: words })
    return applied[0]?.durationMs ?? 0
  } finally {
    await database.close()
    await rm(folder, { recursive: true })
  }
}

function format(durationMs: number): string {
  return durationMs < 1000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`
}
