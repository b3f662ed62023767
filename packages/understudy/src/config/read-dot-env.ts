import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { UnderstudyError } from '../errors.js'

/**
 * What `.env` in a folder says; nothing where there is none.
 *
 * Errors: CONFIG_INVALID with every line that is no assignment.
 */
export function readDotEnv(folder: string): Readonly<Record<string, string | undefined>> {
  const file = join(folder, '.env')
  if (!existsSync(file)) return {}
  const text = readText(file).replace(/^\uFEFF/, '')
  const problems = strayLines(text)
  if (problems.length === 0) return parseEnv(text)
  throw new UnderstudyError('CONFIG_INVALID', `${file} has lines that are no assignments`, {
    detail: problems.map((line) => `line ${line}: expected NAME=value, or a comment after #`).join('\n'),
  })
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new UnderstudyError('CONFIG_INVALID', `${file} cannot be read`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: 'Beside the configuration, `.env` is a file of NAME=value lines.',
      cause,
    })
  }
}

/**
 * The numbers of lines that are neither empty, nor a comment, nor an assignment. Node's parser makes one of such a line and the next name, which is
 * lost. The lines themselves are not told: they may hold a password.
 */
function strayLines(text: string): number[] {
  const lines = text.split(/\r?\n/)
  const stray: number[] = []
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]?.trim() ?? ''
    if (line === '' || line.startsWith('#')) continue
    const value = /^(?:export )?\w[\w.-]*\s*=\s*(.*)$/.exec(line)?.[1]
    if (value === undefined) stray.push(index + 1)
    else index += linesBehind(value, lines.slice(index + 1))
  }
  return stray
}

/** How many further lines a value takes: one that a quote opens goes on to the quote that closes it, if there is one. */
function linesBehind(value: string, following: readonly string[]): number {
  const quote = /^["'`]/.exec(value)?.[0]
  if (quote === undefined || value.includes(quote, 1)) return 0
  return following.findIndex((line) => line.includes(quote)) + 1
}
