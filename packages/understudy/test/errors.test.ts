import { expect, test } from 'vitest'
import { UnderstudyError } from '../src/errors.js'

test('an error carries code, detail and hint beside its message', () => {
  const error = new UnderstudyError('CONFIG_INVALID', 'two problems', { detail: 'a\nb', hint: 'Mend them.' })
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: 'two problems', detail: 'a\nb', hint: 'Mend them.' })
})
