import { cpus, loadavg, totalmem } from 'node:os'
import type { BenchResult, Measured } from './bench.js'
import type { BenchServer } from './server.js'
import { median, spread } from './statistics.js'
import { compareTargets, cpuRatioOf, describeRatio, peakBytes, ratioOf } from './targets.js'

const MIB = 1024 * 1024
const SLOWEST = 12

/** The result as text: machine, data, one table of contenders, the targets, and where the time of our own went. */
export function renderReport(result: BenchResult, server: BenchServer): string {
  const parts = [renderMachine(server), renderData(result), renderContenders(result), renderTargets(result)]
  return [...parts, ...result.contenders.flatMap(renderSteps), ...result.contenders.flatMap(renderStatements)].join(
    '\n\n',
  )
}

export function renderMachine(server: BenchServer): string {
  const [cpu] = cpus()
  const settings = Object.entries(server.settings).map(([name, value]) => `${name}=${value}`)
  const load = loadavg().map((value) => value.toFixed(1))
  return [
    `machine   ${cpus().length} x ${cpu?.model ?? 'unknown'}, ${(totalmem() / MIB / 1024).toFixed(0)} GiB, load ${load.join(' ')}, Node ${process.version}`,
    `server    PostgreSQL ${server.version}, ${server.pid === null ? 'not ours' : 'started for this'}: ${settings.join(' ')}`,
    server.dumper === undefined
      ? 'no pg_dump: the sides of pg_dump and pg_restore are left out'
      : `against   pg_dump and pg_restore ${server.dumper.version}`,
  ].join('\n')
}

function renderData({ relations, rows, changedRows, archiveBytes, dumpBytes }: BenchResult): string {
  const list = relations.map((each) => [
    each.relation,
    count(each.rows),
    mib(each.tableBytes),
    mib(each.indexBytes),
    (each.tableBytes / each.rows).toFixed(0),
  ])
  const table = renderTable([['relation', 'rows', 'table MiB', 'index MiB', 'B/row'], ...list])
  const dump = dumpBytes === null ? '' : `, dump ${mib(dumpBytes)} MiB`
  return `${table}\n${count(rows)} rows, ${count(changedRows)} changed later; archive ${mib(archiveBytes)} MiB${dump}`
}

function renderContenders({ contenders, rows }: BenchResult): string {
  const head = [
    '',
    'median s',
    'min-max',
    'rows/s',
    'against',
    'ratio',
    'CPU ratio',
    'client CPU s',
    'server CPU s',
    'peak MiB',
  ]
  const lines = contenders.map((each) => {
    const { median: middle, min, max } = spread(each.runs.map((run) => run.durationMs))
    const rival = rivalOf(each)
    const ratio = rival === null ? null : ratioOf(contenders, each.name, rival)
    const cpuRatio = rival === null ? null : cpuRatioOf(contenders, each.name, rival)
    const peak = peakBytes(each)
    return [
      each.label,
      seconds(middle),
      `${seconds(min)}-${seconds(max)}`,
      count(Math.round((rows / middle) * 1000)),
      ratio === null ? '' : (rival ?? ''),
      ratio === null ? '' : describeRatio(ratio),
      cpuRatio?.toFixed(2) ?? '',
      cpuSeconds(each.runs.map((run) => run.clientCpuMs)),
      cpuSeconds(each.runs.map((run) => run.serverCpuMs)),
      peak === null ? '' : mib(peak),
    ]
  })
  return `${renderTable([head, ...lines])}\nRatios are medians of ratios run by run (least-most).`
}

function rivalOf({ name }: Measured): string | null {
  if (name === 'export') return 'pg_dump'
  if (name === 'init') return 'pg_restore'
  return name === 'unchanged' || name === 'changed' ? 'init' : null
}

function renderTargets(result: BenchResult): string {
  const lines = compareTargets(result).map(({ name, limit, found, isReached }) => [
    name,
    limit,
    found ?? 'not measured',
    isReached === null ? '' : isReached ? 'reached' : 'missed',
  ])
  return renderTable([['target', 'limit', 'found', ''], ...lines])
}

function renderSteps({ label, subject, runs }: Measured): string[] {
  const outcomes = runs.flatMap(({ outcome }) => (outcome === null ? [] : [outcome]))
  const [first] = outcomes
  if (first === undefined) return []
  const lines = first.steps.map(({ step }) => {
    const all = outcomes.flatMap(({ steps }) =>
      steps.filter((each) => each.step === step).map((each) => each.durationMs),
    )
    return `${step} ${seconds(median(all))}`
  })
  const total = seconds(median(outcomes.map((each) => each.durationMs)))
  const kind = subject === 'export' ? 'relations, side by side' : 'steps'
  return [`${label}: ${kind} in seconds, of ${total} in all\n  ${lines.join(', ')}`]
}

function renderStatements({ label, slowStatements }: Measured): string[] {
  if (slowStatements.length === 0) return []
  const lines = slowStatements
    .slice(0, SLOWEST)
    .map(({ durationMs, statement }) => `  ${seconds(durationMs).padStart(6)}  ${statement.slice(0, 150)}`)
  return [`${label}: slowest statements in seconds, with the cost of watching\n${lines.join('\n')}`]
}

/** The first column to the left, the others to the right. */
function renderTable(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.length ?? 0
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)))
  const render = (row: readonly string[]) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd()
  return rows.map(render).join('\n')
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(ms < 10_000 ? 2 : 1)
}

function cpuSeconds(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? '' : seconds(median(known))
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(bytes < 100 * MIB ? 1 : 0)
}

function count(value: number): string {
  return value.toLocaleString('en')
}
