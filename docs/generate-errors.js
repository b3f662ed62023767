#!/usr/bin/env node
// Writes docs/errors.md from the table of codes in the engine; `--check` only says whether it is up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { ERROR_CODES } from 'understudy'

const HEADING = `# Errors

Generated from \`packages/understudy/src/error-codes.ts\` by \`node docs/generate-errors.js\`; a test holds it to the code.

Every error that Understudy raises has a code, a message (one fact), and where there is more to say a detail (relations, rows, files)
and a hint (what to do), like PostgreSQL's own reports. The command line prints the code in brackets behind the message; with \`--json\`
the same parts stand under \`error\`. The library throws an \`UnderstudyError\` with \`code\`, \`message\`, \`detail\`, \`hint\` and \`cause\`. An error of
the server that is not listed here is passed on as it came, with its SQLSTATE as its code.

Exit codes: 3 for DATABASE_LOCKED, LOCK_NOT_AVAILABLE and MIGRATION_LOCK_TIMEOUT, 4 for MIGRATION_DRIFT and MIGRATION_UNFINISHED, 1 for all others.
`

const page = new URL('errors.md', import.meta.url)
const expected = renderPage(ERROR_CODES)

if (!process.argv.includes('--check')) writeFileSync(page, expected)
else if (readFileSync(page, 'utf8') !== expected) {
  console.error('docs/errors.md is out of date: run `node docs/generate-errors.js`')
  process.exitCode = 1
}

function renderPage(codes) {
  const sections = Object.entries(codes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { meaning, remedy }]) => `## ${code}\n\n${sentence(meaning)}\n\n${remedy}\n`)
  return `${HEADING}\n${sections.join('\n')}`
}

/** Meanings are written like messages: in lower case, without a full stop. */
function sentence(meaning) {
  return `${meaning[0].toUpperCase()}${meaning.slice(1)}.`
}
