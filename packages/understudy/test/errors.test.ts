import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ERROR_CODES, UnderstudyError } from '../src/errors.js'

const SOURCE = fileURLToPath(new URL('../src', import.meta.url))

test('an error carries code, detail and hint beside its message', () => {
  const error = new UnderstudyError('CONFIG_INVALID', 'two problems', { detail: 'a\nb', hint: 'Mend them.' })
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: 'two problems', detail: 'a\nb', hint: 'Mend them.' })
  expect(error.problems).toEqual([])
})

test('where nothing better is known the hint is the remedy of the code', () => {
  expect(new UnderstudyError('ARCHIVE_NOT_FOUND', 'gone').hint).toBe(ERROR_CODES.ARCHIVE_NOT_FOUND.remedy)
})

describe('the codes', () => {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  // Where codes are listed rather than raised.
  const raising = files.filter(
    (name) => !['errors.ts', 'error-codes.ts'].includes(name) && !name.endsWith('exit-codes.ts'),
  )
  const text = raising.map((name) => readFileSync(join(SOURCE, name), 'utf8')).join('\n')

  test.each(Object.entries(ERROR_CODES))(
    '%s is raised somewhere, and says in words what it means and what to do',
    (code, { meaning, remedy }) => {
      expect(text).toContain(`'${code}'`)
      expect(meaning).toMatch(/^[a-z].*[^.]$|^[A-Z]{2}.*[^.]$/s)
      expect(remedy).toMatch(/^[A-Z].*\.$/s)
    },
  )

  test('messages are one line in lower case without a full stop, hints begin as sentences', () => {
    const quoted = String.raw`(?:'((?:[^'\\\n]|\\.)*)'|\`((?:[^\`\\]|\\.)*)\`)`
    const messages = [
      ...text.matchAll(new RegExp(String.raw`new UnderstudyError\(\s*'[A-Z_0-9]+',\s*${quoted},?\s*[,)]`, 'g')),
    ]
    const hints = [...text.matchAll(new RegExp(String.raw`\bhint: ${quoted}`, 'g'))]
    expect(messages.length).toBeGreaterThan(40)
    expect(hints.length).toBeGreaterThan(30)
    const wrong = messages
      .map(([, plain, template]) => plain ?? template ?? '')
      .filter((message) => /^[A-Z][a-z]|\.$|\n/.test(message))
    expect(wrong).toEqual([])
    // They may end with a command.
    const lax = hints
      .map(([, plain, template]) => plain ?? template ?? '')
      .filter((hint) => !/^([A-Z]|\\?`|\$\{)/.test(hint))
    expect(lax).toEqual([])
  })
})
