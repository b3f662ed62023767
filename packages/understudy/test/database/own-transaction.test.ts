import { describe, expect, test } from 'vitest'
import { findTransactionStatements, insideTransaction } from '../../src/database/own-transaction.js'
import type { Session } from '../../src/database/port.js'
import { engines, withTestDatabase } from '../support/engines.js'

test.each([
  ['begin; select 1; COMMIT', ['1 begin', '1 commit']],
  ['select 1;\nstart /* a */ transaction;\n\nend', ['2 start transaction', '4 end']],
  [
    'abort; rollback; rollback work; rollback and chain',
    ['1 abort', '1 rollback', '1 rollback work', '1 rollback and chain'],
  ],
  ["prepare transaction 'x'", ['1 prepare transaction']],
  ['savepoint a; rollback to a; rollback to savepoint a; rollback transaction to savepoint a; release a', []],
  ['select \'commit;\' as "begin; end"; -- commit;\nprepare p as select 1', []],
  ['do $$ begin; commit; end $$; create table commits (begin int, "end" int)', []],
  ['create function f() returns int begin atomic select 1; select case when true then 2 end; end; select 3', []],
])('statements that begin or end a transaction in: %s', (script, found) => {
  expect(findTransactionStatements(script).map(({ line, text }) => `${line} ${text}`)).toEqual(found)
})

describe.each(engines)('a script inside a transaction on $name', (engine) => {
  function runInside(script: (session: Session) => Promise<unknown>): Promise<unknown> {
    return withTestDatabase(engine, ({ database }) =>
      database.withSession((session) =>
        session.transaction({}, () => insideTransaction(session, () => script(session))),
      ),
    )
  }

  test.each([
    ['commit', /`commit` stands/, null],
    ['create table a (); commit; begin', /`commit` stands/, null],
    ['rollback', /`rollback` was rolled back/, null],
    ['create table a (); end; select 1 / 0', /`commit` stands/, 'Then it failed: division by zero'],
  ])('is told that it ended it by: %s', async (sql, outcome, failure) => {
    await expect(runInside((session) => session.script(sql))).rejects.toMatchObject({
      message: 'it ended its own transaction',
      outcome: expect.stringMatching(outcome),
      failure,
    })
  })

  test('returns its result, or fails with its own error', async () => {
    expect(await runInside(async () => 7)).toBe(7)
    await expect(runInside((session) => session.script('savepoint a; select 1 / 0'))).rejects.toThrow(
      'division by zero',
    )
  })
})
