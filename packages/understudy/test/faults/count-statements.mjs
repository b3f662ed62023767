// Loaded before the program in tests of an embedded database: tells on file descriptor 3 of every statement before it runs, one byte each.
// Whoever listens can kill the process in the middle of the one that he wants.
import { writeSync } from 'node:fs'
import { PGlite } from '@electric-sql/pglite'

for (const name of ['exec', 'query']) {
  const original = PGlite.prototype[name]
  PGlite.prototype[name] = function (...args) {
    writeSync(3, '.')
    return original.apply(this, args)
  }
}
