import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { redact, redactError } from '../../src/database/redact.js'

describe('redact', () => {
  test.each([
    ['postgres://role:s3cret@host/db', 'postgres://role:***@host/db'],
    [
      'failed: postgresql://role:s3cret@host:5432/db?x=1 (timeout)',
      'failed: postgresql://role:***@host:5432/db?x=1 (timeout)',
    ],
    ['postgres://role:p@ss/w:rd@host/db', 'postgres://role:***@host/db'],
    ['postgres://role@host/db?password=s3cret&sslmode=require', 'postgres://role@host/db?password=***&sslmode=require'],
    ['postgres://host/db?user=role&sslpassword=s3cret', 'postgres://host/db?user=role&sslpassword=***'],
    ["host=h user=role password='s3 cret' dbname=d", 'host=h user=role password=*** dbname=d'],
    ['"postgres://role:s3cret@host/db"', '"postgres://role:***@host/db"'],
    ['cannot open /home/me/postgres:/role:s3cret@host/db', 'cannot open /home/me/postgres:/role:***@host/db'],
    ['postgress://role:s3cret@host/db', 'postgress://role:***@host/db'],
    ["create role shop login password 'it''s' valid until", "create role shop login password '***' valid until"],
    [
      'at file:///home/me/run.js:10:5 of http://localhost:4873/@scope/name',
      'at file:///home/me/run.js:10:5 of http://localhost:4873/@scope/name',
    ],
    ['no secret here: postgres://role@host/db', 'no secret here: postgres://role@host/db'],
  ])('takes the password out of %s', (text, expected) => {
    expect(redact(text)).toBe(expected)
  })

  test.each([
    ['postgres://role:p%40ss%2Fword@host/db', ['p%40ss%2Fword', 'p@ss/word']],
    ['postgres://role:p@ss/word@host/db', ['p@ss/word', 'p%40ss%2Fword']],
    ['postgres://role@host/db?password=p%40ss%2Fword', ['p%40ss%2Fword', 'p@ss/word']],
    ['postgres://role:100%@host/db', ['100%']],
  ])('takes every spelling of the password of %s out of any text', (url, spellings) => {
    for (const spelling of spellings)
      expect(redact(`it was ${spelling}, sent to host`, url)).toBe('it was ***, sent to host')
  })

  test('leaves words that only look like the password', () => {
    const url = 'postgres://postgres:postgres@localhost/app'
    expect(redact('role "postgres" does not exist', url)).toBe('role "postgres" does not exist')
  })

  test('copies an error that holds the password, and only such a one', () => {
    const url = 'postgres://role:s3cret@host/db'
    const leaking = Object.assign(new Error('bad s3cret'), { input: url })
    expect(inspect(redactError(leaking, url))).not.toContain('s3cret')
    expect(redactError(leaking, url).message).toBe('bad ***')
    const harmless = new Error('bad')
    expect(redactError(harmless, url)).toBe(harmless)
  })
})
