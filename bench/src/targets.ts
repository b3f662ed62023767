import type { BenchResult, Measured } from './bench.js'
import type { Contender } from './contenders.js'
import { median, ratios, type Spread } from './statistics.js'

const MIB = 1024 * 1024

/** What the project promises (issue 2, section 8). Speed is never a test: a target that is missed is only said to be. */
export interface Target {
  readonly name: string
  readonly limit: string
  /** `1.21 (1.18-1.30)`, or null where it was not measured. */
  readonly found: string | null
  readonly isReached: boolean | null
}

const MAX_PEAK_MIB = 200

const RATIOS: readonly {
  readonly ours: Contender['name']
  readonly theirs: Contender['name']
  readonly max: number
}[] = [
  { ours: 'export', theirs: 'pg_dump', max: 1.3 },
  { ours: 'init', theirs: 'pg_restore', max: 1.0 },
  { ours: 'unchanged', theirs: 'init', max: 0.5 },
]

export function compareTargets({ contenders }: BenchResult): Target[] {
  return [
    ...RATIOS.map(({ ours, theirs, max }) => compareRatio(contenders, ours, theirs, max)),
    comparePeak(contenders),
  ]
}

function compareRatio(contenders: readonly Measured[], ours: string, theirs: string, max: number): Target {
  const ratio = ratioOf(contenders, ours, theirs)
  return {
    name: `${ours} / ${theirs}`,
    limit: `<= ${max.toFixed(1)}`,
    found: ratio === null ? null : describeRatio(ratio),
    isReached: ratio === null ? null : ratio.median <= max,
  }
}

function comparePeak(contenders: readonly Measured[]): Target {
  const peak = Math.max(...contenders.map((each) => peakBytes(each) ?? 0)) / MIB
  return {
    name: 'peak memory of our process',
    limit: `< ${MAX_PEAK_MIB} MiB`,
    found: `${peak.toFixed(0)} MiB`,
    isReached: peak < MAX_PEAK_MIB,
  }
}

/** Of durations, run by run. */
export function ratioOf(contenders: readonly Measured[], ours: string, theirs: string): Spread | null {
  const durations = (name: string) => contenders.find((each) => each.name === name)?.runs.map((run) => run.durationMs)
  const [own, other] = [durations(ours), durations(theirs)]
  return own === undefined || other === undefined ? null : ratios(own, other)
}

/** Of CPU time, process and server together; it hardly knows of what else the machine does. */
export function cpuRatioOf(contenders: readonly Measured[], ours: string, theirs: string): number | null {
  const cpu = (name: string) => {
    const runs = contenders.find((each) => each.name === name)?.runs ?? []
    const known = runs.flatMap(({ clientCpuMs, serverCpuMs }) =>
      clientCpuMs === null || serverCpuMs === null ? [] : [clientCpuMs + serverCpuMs],
    )
    return known.length === 0 ? null : median(known)
  }
  const [own, other] = [cpu(ours), cpu(theirs)]
  return own === null || other === null ? null : own / other
}

/** The highest of all runs, or null where it was not our process. */
export function peakBytes({ runs }: Measured): number | null {
  const peaks = runs.flatMap(({ outcome }) => (outcome === null ? [] : [outcome.peakBytes]))
  return peaks.length === 0 ? null : Math.max(...peaks)
}

export function describeRatio({ median: middle, min, max }: Spread): string {
  return `${middle.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)})`
}
