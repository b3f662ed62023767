import type { Settings } from '../config/settings.js'
import type { Session } from '../database/port.js'
import { useSearchPath } from '../database/settings.js'
import { UnderstudyError } from '../errors.js'
import { type CheckResult, isInvalidating } from '../validate/check.js'
import { validateSession } from '../validate/validate-database.js'
import type { LoadedPackage } from './packages.js'
import type { ImportPlan, PlannedRelation } from './plan.js'
import { type LoadedSeed, runSeed } from './seeds.js'

/** What a data package did in an import. */
export interface PackageReport extends Pick<PlannedRelation, (typeof COUNTS)[number]> {
  readonly name: string
  readonly title: string
  /** Rows that its scripts inserted, updated or deleted. */
  readonly seeded: number
  /** Of the package that reports them; null elsewhere. */
  readonly assignments: Assignments | null
  /** Of the package that runs the checks; null elsewhere. Those that failed are warnings: an error takes the import back. */
  readonly checks: readonly CheckResult[] | null
  readonly durationMs: number
}

/** References whose target was missing, of this import and earlier ones. */
export interface Assignments {
  /** How many got their target. */
  readonly resolved: number
  /** Those that still wait for theirs. */
  readonly open: readonly OpenReference[]
}

export interface OpenReference {
  readonly relation: string
  readonly column: string
  readonly target: string
  readonly rows: number
  /** Up to five of the identities that are missing. */
  readonly samples: readonly string[]
}

const COUNTS = ['inserts', 'updates', 'deletes', 'unchanged', 'skipped'] as const

/** Runs the scripts of the packages and keeps account of what each package does. */
export class PackageSteps {
  readonly #packages: readonly LoadedPackage[]
  readonly #seeded = new Map<LoadedPackage, number>()
  readonly #spent = new Map<LoadedPackage, number>()
  #assignments: Assignments = { resolved: 0, open: [] }
  #checks: readonly CheckResult[] = []

  constructor(packages: readonly LoadedPackage[]) {
    this.#packages = packages
  }

  get haveSeeds(): boolean {
    return this.#packages.some(({ seeds }) => seeds.length > 0)
  }

  /** What comes before the rows. */
  async seed(session: Session): Promise<void> {
    for (const each of this.#packages) await this.#run(session, each, each.seeds)
  }

  /**
   * What comes behind them, with the references recorded that wait for their target.
   *
   * @throws UnderstudyError `SEED_FAILED`, `CHECKS_FAILED`
   */
  async finish(session: Session, settings: Settings, resolved: number): Promise<void> {
    for (const each of this.#packages) {
      if (each.after.length > 0) {
        await useSearchPath(session, 'own')
        await this.#run(session, each, each.after)
        await useSearchPath(session, 'none')
      }
      if (each.hasAssignments) {
        const startedAt = performance.now()
        this.#assignments = { resolved, open: await readOpenReferences(session) }
        this.#spend(each, startedAt)
      }
      if (each.isValidation) {
        const startedAt = performance.now()
        this.#checks = await validateSession(session, settings)
        refuseInvalid(this.#checks)
        this.#spend(each, startedAt)
      }
    }
  }

  /** One report for each package, in their order; `spent` is the time that went into each relation. */
  report({ relations }: ImportPlan, spent: ReadonlyMap<string, number>): PackageReport[] {
    return this.#packages.map((each) => {
      const own = relations.filter(({ relation }) => each.relations.has(relation))
      const sum = (count: (typeof COUNTS)[number]) => own.reduce((total, relation) => total + relation[count], 0)
      const loading = [...each.relations].reduce((total, label) => total + (spent.get(label) ?? 0), 0)
      return {
        name: each.name,
        title: each.title,
        seeded: this.#seeded.get(each) ?? 0,
        inserts: sum('inserts'),
        updates: sum('updates'),
        deletes: sum('deletes'),
        unchanged: sum('unchanged'),
        skipped: sum('skipped'),
        assignments: each.hasAssignments ? this.#assignments : null,
        checks: each.isValidation ? this.#checks : null,
        durationMs: Math.round(loading + (this.#spent.get(each) ?? 0)),
      }
    })
  }

  async #run(session: Session, each: LoadedPackage, seeds: readonly LoadedSeed[]): Promise<void> {
    const startedAt = performance.now()
    for (const seed of seeds) {
      const rows = await runSeed(session, seed)
      this.#seeded.set(each, (this.#seeded.get(each) ?? 0) + rows)
    }
    this.#spend(each, startedAt)
  }

  #spend(each: LoadedPackage, startedAt: number): void {
    this.#spent.set(each, (this.#spent.get(each) ?? 0) + performance.now() - startedAt)
  }
}

function refuseInvalid(checks: readonly CheckResult[]): void {
  const failed = checks.filter(isInvalidating)
  if (failed.length === 0) return
  throw new UnderstudyError('CHECKS_FAILED', `${failed.length} of ${checks.length} checks failed`, {
    detail: failed.map(describeCheck).join('\n'),
    hint: 'Nothing was written. Correct the source, or the checks, and import again; `--to-package` leaves the package of the checks out.',
  })
}

function describeCheck({ section, name, rows, samples, message }: CheckResult): string {
  const found = rows === 0 ? [] : [`${rows === 1 ? '1 row' : `${rows} rows`}: ${samples.join('; ')}`]
  return [`${section}: ${name}`, ...(message === null ? [] : [message]), ...found].join(': ')
}

async function readOpenReferences(session: Session): Promise<OpenReference[]> {
  return await session.query<OpenReference & Record<string, unknown>>(
    `select relation, column_name as "column", target, count(*) as rows,
            (array_agg(distinct identity::text order by identity::text))[1:5] as samples
       from understudy.late_reference
      group by relation, column_name, target
      order by relation, column_name, target`,
  )
}
