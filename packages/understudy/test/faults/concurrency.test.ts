import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { openArchive } from '../../src/archive/reader.js'
import { withAdvisoryLock } from '../../src/database/advisory-lock.js'
import type { LockHolder } from '../../src/database/lock-holder.js'
import type { Database, Session } from '../../src/database/port.js'
import { engines, servers } from '../support/engines.js'
import { createStage, type Stage } from '../support/scenario.js'
import { scratchFolder, until } from './support.js'

/** Money moves between accounts; every transfer is two entries, which add up to nothing, and the balances follow. */
const BANK = `
  create table accounts (id serial primary key, code text not null unique, balance bigint not null default 0);
  create table entries (id bigserial primary key, code text not null unique, account_id int not null references accounts, amount bigint not null)`
const ACCOUNTS = `insert into accounts (code) select 'account ' || n from generate_series(1, 50) n`

const WRITERS = 20
const WRITES_EACH = 100

/** Two thousand transfers over connections of their own. Returns how many were committed; every error is one too many. */
async function transferAll(url: string, name: string): Promise<number> {
  let committed = 0
  const writer = async (number: number) => {
    const client = new pg.Client({ connectionString: url, application_name: 'application' })
    await client.connect()
    try {
      for (let at = 0; at < WRITES_EACH; at++) {
        const [from, to, amount] = [1 + ((number + at) % 50), 1 + ((number * 7 + at * 3 + 1) % 50), at + 1]
        const code = `${name} ${number} ${at}`
        // The lower account first: this application never deadlocks by itself. Entries come before accounts here and behind them there.
        const moves = [[from, -amount] as const, [to, amount] as const].sort(([a], [b]) => a - b)
        await client.query('begin')
        if (at % 2 === 0) await addEntries(client, code, moves)
        for (const [account, change] of moves) {
          await client.query('update accounts set balance = balance + $2 where code = $1', [
            `account ${account}`,
            change,
          ])
        }
        if (at % 2 === 1) await addEntries(client, code, moves)
        await client.query('commit')
        committed++
      }
    } finally {
      await client.end()
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, (_, number) => writer(number)))
  return committed
}

async function addEntries(
  client: pg.Client,
  code: string,
  moves: readonly (readonly [number, number])[],
): Promise<void> {
  for (const [index, [account, change]] of moves.entries()) {
    await client.query(
      `insert into entries (code, account_id, amount) select $1, id, $3 from accounts where accounts.code = $2`,
      [`${code} ${index}`, `account ${account}`, change],
    )
  }
}

const BALANCED = `
  select count(*)::int as entries, coalesce(sum(amount), 0)::int as sum,
         (select count(*)::int from accounts a
           where balance <> coalesce((select sum(amount) from entries e where e.account_id = a.id), 0)) as wrong
    from entries`

describe.each(servers)('on $name', (engine) => {
  test('two thousand writes during an export: the archive is one moment of them', { timeout: 300_000 }, async () => {
    const source = await createStage(engine, `${BANK}; ${ACCOUNTS}`)
    const folder = scratchFolder()
    let isOver = false
    const writing = transferAll(source.created.url, 'transfer').finally(() => {
      isOver = true
    })
    let middles = 0
    for (let at = 0; !isOver; at++) {
      const { path } = await source.export({ out: join(folder, `${at}.backup.tar.gz`), jobs: 2 })
      const { entries, balances } = await readBank(path)
      expect(entries.length % 2).toBe(0)
      const sums = new Map<string, number>()
      for (const { account_id, amount } of entries) sums.set(account_id, (sums.get(account_id) ?? 0) + amount)
      for (const [account, balance] of balances) expect(balance).toBe(sums.get(account) ?? 0)
      if (entries.length > 0 && entries.length < 2 * WRITERS * WRITES_EACH) middles++
    }
    expect(middles).toBeGreaterThan(0)
    expect(await writing).toBe(WRITERS * WRITES_EACH)
    expect(await source.rows(BALANCED)).toEqual([{ entries: 2 * WRITERS * WRITES_EACH, sum: 0, wrong: 0 }])
    await source.created.dispose()
  })

  test('two thousand writes during imports: none is lost, none fails, and what the archive brings is there', {
    timeout: 300_000,
  }, async () => {
    const source = await createStage(
      engine,
      `${BANK}; insert into accounts (code) select 'foreign ' || n from generate_series(1, 200) n;
       insert into entries (code, account_id, amount) select 'foreign ' || n, 1 + n % 200, n from generate_series(1, 2000) n;
       update accounts a set balance = (select sum(amount) from entries e where e.account_id = a.id)`,
    )
    const { path } = await source.export()
    const target = await createStage(
      engine,
      `${BANK}; ${ACCOUNTS}; select setval('accounts_id_seq', 700), setval('entries_id_seq', 90000)`,
    )
    let isOver = false
    const writing = transferAll(target.created.url, 'transfer').finally(() => {
      isOver = true
    })
    let imports = 0
    for (; !isOver; imports++) {
      await target.import(path, { waitMs: 120_000 })
      // Something to do for the next one.
      await target.run(
        `delete from entries where code like 'foreign %5'; update entries set amount = 0 where code like 'foreign %7'`,
      )
    }
    expect(imports).toBeGreaterThan(0)
    expect(await writing).toBe(WRITERS * WRITES_EACH)
    await target.import(path)
    expect(await target.rows(BALANCED)).toEqual([
      { entries: 2 * WRITERS * WRITES_EACH + 2000, sum: 2_001_000, wrong: 0 },
    ])
    await Promise.all([source.created.dispose(), target.created.dispose()])
  })

  describe('somebody else is at work', () => {
    const pidOf = async (session: Session) =>
      (await session.query<{ pid: number }>('select pg_backend_pid() as pid'))[0]?.pid

    /** Runs `work` while another session is inside a transaction with `statement`; `release` ends that. */
    async function whileHeld<T>(
      stage: Stage,
      statement: string,
      work: (pid: number | undefined, release: () => void) => Promise<T>,
    ): Promise<T> {
      return await stage.created.database.withSession(async (holder) => {
        const pid = await pidOf(holder)
        let release = () => {}
        const released = new Promise<void>((resolve) => {
          release = resolve
        })
        let result: Promise<T> | undefined
        await holder.transaction({}, async () => {
          await holder.script(statement)
          result = work(pid, release)
          await Promise.race([released, result.catch(() => undefined)])
        })
        return await (result as Promise<T>)
      })
    }

    const SHOP = 'create table items (id serial primary key, code text not null unique, price int)'
    const ITEMS = `insert into items (code, price) select 'item ' || n, n from generate_series(1, 10) n`
    const withShops = async (use: (source: Stage, target: Stage, path: string) => Promise<void>) => {
      const source = await createStage(engine, `${SHOP}; ${ITEMS}`)
      const target = await createStage(engine, SHOP)
      await use(source, target, (await source.export()).path)
      await Promise.all([source.created.dispose(), target.created.dispose()])
    }

    test('an import waits for a write of the application, names its process, and goes on', async () => {
      await withShops(async (_, target, path) => {
        const holders: (LockHolder | undefined)[] = []
        await whileHeld(target, `insert into items (code) values ('local')`, async (pid, release) => {
          await target.import(path, {
            waitMs: 600_000,
            onWait: (holder) => {
              holders.push(holder)
              release()
            },
          })
          expect(holders).toMatchObject([{ pid, applicationName: 'understudy', role: 'postgres' }])
        })
        expect(await target.rows('select count(*)::int as n from items')).toEqual([{ n: 11 }])
      })
    })

    test('an import stops when its time is over, and has written nothing', async () => {
      await withShops(async (_, target, path) => {
        await whileHeld(target, `insert into items (code) values ('local')`, async (pid) => {
          await expect(target.import(path, { waitMs: 0 })).rejects.toMatchObject({
            code: 'LOCK_NOT_AVAILABLE',
            message: `tables are in use by process ${pid} (understudy)`,
            detail: expect.stringContaining('waited 0 s'),
          })
        })
        expect(await target.rows('select count(*)::int as n from items')).toEqual([{ n: 1 }])
      })
    })

    test('a row that is locked for longer than the import may wait stops it', async () => {
      await withShops(async (_, target, path) => {
        await target.run(`insert into items (code, price) values ('item 3', 0)`)
        await whileHeld(target, `select from items for update`, async (pid) => {
          await expect(target.import(path, { waitMs: 0 })).rejects.toMatchObject({
            code: 'LOCK_NOT_AVAILABLE',
            message: `rows or tables that are needed are held by process ${pid} (understudy)`,
            detail: expect.stringContaining('while updating tuple'),
          })
        })
        expect(await target.rows('select count(*)::int as n from items')).toEqual([{ n: 1 }])
      })
    })

    test('a second import waits for the first one, and finds its rows', async () => {
      await withShops(async (_, target, path) => {
        const waited: (LockHolder | undefined)[] = []
        const both = await Promise.all(
          [1, 2].map(() => target.import(path, { waitMs: 600_000, onWait: (holder) => waited.push(holder) })),
        )
        expect(both.map(({ plan }) => plan.relations[0]?.inserts).sort()).toEqual([0, 10])
      })
    })

    test('an import waits for a migration, and an export does not mind either of them', async () => {
      await withShops(async (source, target, path) => {
        await target.created.database.withSession((migration) =>
          withAdvisoryLock(migration, { waitMs: 0 }, async () => {
            const pid = await pidOf(migration)
            await expect(target.import(path, { waitMs: 0 })).rejects.toMatchObject({
              code: 'LOCK_NOT_AVAILABLE',
              message: `the database is in use by process ${pid} (understudy)`,
            })
            expect((await target.export()).files).toMatchObject([{ relation: 'items', records: 0 }])
          }),
        )
        await source.created.database.withSession((session) => session.query('select 1'))
      })
    })

    test('an export waits for a statement that rewrites a table, and reads what it left', async () => {
      await withShops(async (source) => {
        let waited: LockHolder | undefined
        // An older snapshot would show an empty table.
        const statement = `truncate items; insert into items (code, price) values ('fresh', 1)`
        const result = await whileHeld(source, statement, async (pid, release) => {
          const done = await source.export({
            waitMs: 600_000,
            onWait: (holder) => {
              waited = holder
              release()
            },
          })
          expect(waited).toMatchObject({ pid })
          return done
        })
        expect(result.files).toMatchObject([{ relation: 'items', records: 1 }])
      })
    })

    test('an export whose workers come behind a migration that waits for it goes on without them', async () => {
      await withShops(async (source) => {
        await source.run('create table more (id serial primary key, code text not null unique)')
        const { database } = source.created
        let sessions = 0
        let migration: Promise<void> | undefined
        const behindMigration: Database = {
          ...database,
          async withSession(use) {
            // The registry, the session that holds the locks, and then the first worker.
            if (++sessions === 3) {
              migration = source.run('alter table items add column late text')
              await untilWaiting(database)
            }
            return await database.withSession(use)
          },
        }
        const { files } = await source.export({ jobs: 2, database: behindMigration })
        await migration
        expect(files).toMatchObject([
          { relation: 'items', records: 10 },
          { relation: 'more', records: 0 },
        ])
      })
    })

    test('an export stops when its time is over', async () => {
      await withShops(async (source) => {
        await whileHeld(source, 'alter table items add column more text', async (pid) => {
          await expect(source.export({ waitMs: 0 })).rejects.toMatchObject({
            code: 'LOCK_NOT_AVAILABLE',
            message: `tables are in use by process ${pid} (understudy)`,
          })
        })
      })
    })
  })
})

describe.each(engines.slice(0, 1))('on $name', (engine) => {
  test('an export, an import and writes at the same time take turns', async () => {
    const stage = await createStage(engine, `${BANK}; ${ACCOUNTS}`)
    const { path } = await stage.export()
    const write = (n: number) => stage.run(`insert into entries (code, account_id, amount) values ('entry ${n}', 1, 0)`)
    await Promise.all([...Array.from({ length: 20 }, (_, n) => write(n)), stage.import(path), stage.export()])
    expect(await stage.rows('select count(*)::int as n from entries')).toEqual([{ n: 20 }])
    await stage.created.dispose()
  })
})

/** Returns when a session of the database waits for a lock. */
async function untilWaiting(database: Database): Promise<void> {
  await database.withSession((session) =>
    until(async () => {
      const rows = await session.query(
        `select from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())`,
      )
      return rows.length > 0
    }),
  )
}

interface Entry {
  readonly account_id: string
  readonly amount: number
}

async function readBank(path: string): Promise<{ entries: Entry[]; balances: Map<string, number> }> {
  const entries: Entry[] = []
  const balances = new Map<string, number>()
  for await (const { entry, lines } of openArchive(path)) {
    const parts: Uint8Array[] = []
    for await (const chunk of lines()) parts.push(chunk)
    for (const line of Buffer.concat(parts).toString('utf8').split('\n').filter(Boolean)) {
      const record = JSON.parse(line.split('\u0002')[2] ?? '')
      if (entry.relation === 'entries') entries.push(record)
      else balances.set(record.code, record.balance)
    }
  }
  return { entries, balances }
}
