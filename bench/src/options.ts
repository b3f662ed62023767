import { parseArgs } from 'node:util'

/** What is measured: `unchanged` and `changed` are imports with `replace`. */
export const SUBJECTS = ['export', 'validate', 'init', 'unchanged', 'changed'] as const
export type Subject = (typeof SUBJECTS)[number]

export interface BenchOptions {
  readonly rows: number
  readonly runs: number
  readonly only: readonly Subject[]
  /** A server to measure on; without it one is started. */
  readonly url: string | undefined
  /** True: slow statements and plans are logged and our process is sampled, in one run whose times mean less. */
  readonly isProfile: boolean
  readonly isHelp: boolean
}

export const HELP = `usage: pnpm bench [--rows N] [--runs K] [--only export,validate,init,unchanged,changed] [--url postgres://…] [--profile]

  --rows N      rows in all, 1000 or more (default 1000000)
  --runs K      how often each is measured, taking turns (default 3)
  --only a,b    what to measure: ${SUBJECTS.join(', ')}
  --url URL     a server whose role may create databases; without it one is started and removed
  --profile     one run, with the slow statements, their plans and CPU profiles of our process in bench/results/profile

examples:
  pnpm bench
  pnpm bench --rows 100000 --runs 1
  pnpm bench --only init --profile
`

/** Reads the arguments. Throws one error that names every problem. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== '--'),
    options: {
      rows: { type: 'string', default: '1000000' },
      runs: { type: 'string' },
      only: { type: 'string', default: SUBJECTS.join() },
      url: { type: 'string' },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const isProfile = values.profile
  const names = values.only.split(',').map((name) => name.trim())
  const rows = Number(values.rows)
  const runs = Number(values.runs ?? (isProfile ? 1 : 3))
  const unknown = names.filter((name) => !SUBJECTS.some((subject) => subject === name))
  const problems = [
    ...(Number.isInteger(rows) && rows >= 1000 ? [] : ['--rows wants a whole number from 1000']),
    ...(Number.isInteger(runs) && runs >= 1 ? [] : ['--runs wants a whole number from 1']),
    ...(unknown.length === 0 ? [] : [`--only knows ${SUBJECTS.join(', ')}, not ${unknown.join(', ')}`]),
    ...(isProfile && values.url !== undefined ? ['--profile needs a server of its own, without --url'] : []),
  ]
  if (problems.length > 0) throw new Error(problems.join('\n'))
  const only = SUBJECTS.filter((subject) => names.includes(subject))
  return { rows, runs, only, url: values.url, isProfile, isHelp: values.help }
}
