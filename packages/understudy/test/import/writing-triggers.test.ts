import { describe, expect, test } from 'vitest'
import { inspectDatabase } from '../../src/inspect/inspect-database.js'
import { servers } from '../support/engines.js'
import { createStage } from '../support/scenario.js'

const TABLES = `
  create table people (id serial primary key, code text not null unique, name text);
  create table "we""ird" (code text not null, k int, primary key (code, k)) partition by list (k);
  create table leaf partition of "we""ird" for values in (1);`

const body = (name: string, source: string) =>
  `create function ${name}() returns trigger language plpgsql as $$ begin ${source}; return null; end $$;`
const trigger = (name: string, called: string, on: string) =>
  `create constraint trigger ${name} after ${on} deferrable for each row execute function ${called}();`

const TRIGGERS = `
  create table log (what text);
  create function note(what text) returns void language sql as $$ insert into log values (what) $$;
  ${body('writes', `insert into log values ('written')`)}
  ${body('calls', `perform note(new.code)`)}
  ${body('builds', `execute 'insert into log values (1)'`)}
  ${body('checks', `/* no insert into log */ perform 1 from people where code = 'do not delete from here' for update; if new.code is null then raise 'cannot insert into people'; end if`)}
  ${trigger('"Writ""es"', 'writes', 'insert or update on people')}
  ${trigger('calls', 'calls', 'update on people')}
  ${trigger('builds', 'builds', 'insert on people')}
  ${trigger('checks', 'checks', 'insert on people')}
  ${trigger('never', 'writes', 'delete on people')}
  ${trigger('off', 'writes', 'insert on people')} alter table people disable trigger off;
  ${trigger('on_leaf', 'writes', 'insert on leaf')}`

const CONTENT = `insert into people (code, name) values ('ada', 'Ada'), ('bob', 'Bob'); insert into "we""ird" values ('w', 1)`

describe.each(servers.slice(0, 1))('constraint triggers that write, on $name', (engine) => {
  test('are named by the plan where they will fire, and by inspect; those that check are not', async () => {
    const source = await createStage(engine, `${TABLES} ${CONTENT}`)
    const config = { exclude: ['log'] }
    const target = await createStage(engine, `${TABLES} insert into people (code) values ('ada'); ${TRIGGERS}`, config)
    const { path } = await source.export()
    const { plan } = await target.import(path, { isDryRun: true })
    const note = (name: string, rows: string, what: string) =>
      `the constraint trigger ${name} fires for ${rows}, and its function public.${what}; constraint triggers are not suspended`
    expect(plan.notes).toEqual([
      `people: ${note('Writ"es', '2 rows', 'writes writes')}`,
      `people: ${note('builds', '1 row', 'builds may write')}`,
      `people: ${note('calls', '1 row', 'calls writes')}`,
      `"we\\"ird": ${note('on_leaf', '1 row', 'writes writes')}`,
    ])
    const { warnings } = await inspectDatabase(target.settings, { database: target.created.database })
    const named = warnings.filter(({ kind }) => kind === 'constraint trigger writes').map(({ message }) => message)
    expect(named).toEqual(
      ['Writ"es', 'builds', 'calls', 'never', 'on_leaf'].map((name) =>
        expect.stringMatching(new RegExp(`^has the constraint trigger ${name}, .*: an import does not suspend it$`)),
      ),
    )
    const firing = await createStage(engine, `${TABLES} ${TRIGGERS}`, { ...config, triggers: 'fire' })
    expect((await firing.import(path, { isDryRun: true })).plan.notes).toEqual([])
  })
})
