import { expect, test } from 'vitest'
import { parseSqlHeaders } from '../../src/migrate/sql-headers.js'

test('headers are read from the comments before the first statement', () => {
  const text =
    '-- Copyright\n\n-- migrate: description Adds it: all\n--migrate: manual-only\n-- migrate: no-transaction\n-- migrate: allow-loss events.old_status, users.phone\n-- migrate: allow-loss old\nselect 1'
  expect(parseSqlHeaders(text)).toMatchObject({
    headers: {
      description: 'Adds it: all',
      isManualOnly: true,
      isTransactional: false,
      allowLoss: ['events.old_status', 'users.phone', 'old'],
    },
    problems: [],
  })
})

test('a file without headers runs in a transaction, with the others', () => {
  expect(parseSqlHeaders('select 1').headers).toEqual({
    description: null,
    isManualOnly: false,
    isTransactional: true,
    allowLoss: [],
  })
})

test('unknown headers, and headers behind a statement, are all reported', () => {
  const text = '-- migrate: manual\nselect 1;\n-- migrate: manual-only\n-- migrate: transaction on'
  expect(parseSqlHeaders(text).problems).toEqual([
    'line 1: unknown header `-- migrate: manual`',
    'line 3: `-- migrate:` stands before the first statement',
    'line 4: `-- migrate:` stands before the first statement',
  ])
})

test('what follows `down` is the way back, on the same lines', () => {
  const { sections, problems } = parseSqlHeaders(
    '-- migrate: manual-only\ncreate table a ();\n-- migrate: down\ndrop table a;',
  )
  expect(problems).toEqual([])
  expect(sections.up).toBe('-- migrate: manual-only\ncreate table a ();')
  expect(sections.down?.split('\n')).toEqual(['', '', '-- migrate: down', 'drop table a;'])
  expect(parseSqlHeaders('-- migrate: down\n-- migrate: down').problems).toEqual([
    'line 2: `-- migrate: down` stands there twice',
  ])
  expect(parseSqlHeaders('select 1;\n-- migrate: down\n-- migrate: manual-only').problems).toEqual([
    'line 3: `-- migrate:` stands before the first statement',
  ])
})
