import { expect, test } from 'vitest'
import { didYouMean } from '../../src/config/did-you-mean.js'

test('a mistyped word finds its neighbour, a foreign one finds none', () => {
  expect(didYouMean('databse', ['archives', 'database'])).toBe('database')
  expect(didYouMean('Users', ['users'])).toBe('users')
  expect(didYouMean('zebra', ['archives', 'database'])).toBeUndefined()
})
