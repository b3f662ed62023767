import { expect, test } from 'vitest'
import { didYouMean } from '../../src/config/did-you-mean.js'
import { matchesRelation } from '../../src/config/relation-pattern.js'

test.each([
  ['events', 'public', 'events', true],
  ['events', 'audit', 'events', true],
  ['public.events', 'audit', 'events', false],
  ['audit.*', 'audit', 'log', true],
  ['audit.*', 'public', 'log', false],
  ['log_*', 'log_old', 'events', false],
  ['log_*', 'public', 'log_', true],
  ['*.log', 'audit', 'log', true],
  ['a+b', 'public', 'aab', false],
  ['we"ird', 'public', 'we"ird', true],
  ['dotted.name', 'public', 'dotted.name', true],
])('the pattern %s names %s.%s: %s', (pattern, schema, name, expected) => {
  expect(matchesRelation(pattern, { schema, name })).toBe(expected)
})

test('a mistyped word finds its neighbour, a foreign one finds none', () => {
  expect(didYouMean('databse', ['archives', 'database'])).toBe('database')
  expect(didYouMean('Users', ['users'])).toBe('users')
  expect(didYouMean('zebra', ['archives', 'database'])).toBeUndefined()
})
