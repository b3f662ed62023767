import type { z } from 'zod'
import type { UnderstudyConfig } from './define-config.js'
import { didYouMean } from './did-you-mean.js'
import { configSchema, knownKeysAt } from './schema.js'

export type ParsedConfig =
  | { readonly config: UnderstudyConfig; readonly problems: readonly [] }
  | { readonly config: null; readonly problems: readonly string[] }

/** Parses what a configuration file exports. Every problem is one line that begins with its path. */
export function parseConfig(value: unknown): ParsedConfig {
  const { data, error } = configSchema.safeParse(value)
  const problems = error ? error.issues.flatMap(problemLines) : packageProblems(data)
  return problems.length === 0 ? { config: data as UnderstudyConfig, problems: [] } : { config: null, problems }
}

function problemLines(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKeyLine(issue.path, key))
  if (issue.code === 'invalid_key') return issue.issues.map((inner) => line(issue.path, inner.message))
  return [line(issue.path, issue.message)]
}

function unknownKeyLine(path: readonly PropertyKey[], key: string): string {
  const guess = didYouMean(key, knownKeysAt(path))
  return line([...path, key], guess ? `unknown key; did you mean \`${guess}\`?` : 'unknown key')
}

function line(path: readonly PropertyKey[], message: string): string {
  const text = message.replace(/^(Invalid input|Invalid option|Too small|Too big): /, '')
  return path.length === 0 ? `configuration: ${text}` : `${path.map(String).join('.')}: ${text}`
}

/** Two packages must not share a number, nor a name that differs in case only: `--from a` means A. */
function packageProblems(config: UnderstudyConfig): string[] {
  const packages = Object.entries(config.migrations?.packages ?? {}).sort(([, a], [, b]) => a.from - b.from)
  const problems: string[] = []
  packages.forEach(([name, { from }], index) => {
    const path = ['migrations', 'packages', name]
    const before = packages.slice(0, index)
    const overlapped = before.find(([, earlier]) => from <= (earlier.to ?? Number.POSITIVE_INFINITY))
    if (overlapped) problems.push(line(path, `its range overlaps that of ${overlapped[0]}`))
    const twin = before.find(([earlier]) => earlier.toLowerCase() === name.toLowerCase())
    if (twin) problems.push(line(path, `its name differs from ${twin[0]} in case only`))
  })
  return problems
}
