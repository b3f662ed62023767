import { existsSync } from 'node:fs'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Settings } from '../config/settings.js'
import { describeSqlError } from '../database/failures.js'
import type { Database, Session } from '../database/port.js'
import { pinSettings } from '../database/settings.js'
import { type DatabaseOptions, withDatabase } from '../database/with-database.js'
import { UnderstudyError } from '../errors.js'
import { migrationStatus } from '../migrate/migration-status.js'
import { buildModel } from '../model/build-model.js'
import { relationLabel } from '../model/model.js'
import { createSqlContext } from '../model/sql-context.js'
import { examineConfiguration } from './configuration.js'
import { examineCollations, examineEncoding, examineExtensions, examineModel, examineRowSecurity } from './content.js'
import { examineDisk } from './disk.js'
import { ABILITIES, type Ability, bad, type Finding, good, type Topic, warning } from './finding.js'
import { examineLocks } from './locks.js'
import type { Patient } from './patient.js'
import { examinePrivileges } from './privileges.js'
import { examineEventTriggers, examinePooler, examineServer, examineSettings } from './server.js'

/** What will work with a database and what will not, before it is needed. */
export interface Diagnosis {
  /** Where the database is, safe to print; null where its address cannot be understood. */
  readonly label: string | null
  /** Such as 180004; null where no session came about. */
  readonly serverVersion: number | null
  readonly role: string | null
  readonly works: Readonly<Record<Ability, boolean>>
  /** In the order in which they were looked at, by topic. */
  readonly findings: readonly Finding[]
}

interface SessionFacts {
  readonly serverVersion: number
  readonly role: string
  readonly findings: readonly Finding[]
}

/**
 * Looks at everything that an export, an import or a migration needs: connection, rights, pooler, settings, collations, disk, the model. Writes
 * nothing, and throws nothing that the database could be the reason of: that is a finding too.
 */
export async function examineDatabase(settings: Settings, options: DatabaseOptions = {}): Promise<Diagnosis> {
  const findings: Finding[] = [examineNode()]
  let label: string | null = null
  let facts: SessionFacts | null = null
  try {
    await withDatabase(settings, options, async (database) => {
      label = database.label
      facts = await database.withSession((session) =>
        session.abortable(options.signal, () => examineSession(database, session, settings)),
      )
      findings.push(...facts.findings)
      findings.push(...(await examineMigrations(settings, { database, signal: options.signal })))
    })
  } catch (error) {
    if (!(error instanceof UnderstudyError) || options.signal?.aborted) throw error
    const detail = error.detail === undefined ? '' : `: ${error.detail.replaceAll('\n', '; ')}`
    const prevents = error.code === 'DATABASE_NOT_FOUND' && label === null ? withoutMigrate : ABILITIES
    findings.push(bad('connection', prevents, `${error.message}${detail}`, error.hint))
  }
  const { serverVersion = null, role = null } = (facts ?? {}) as Partial<SessionFacts>
  const works = (ability: Ability) => !findings.some(({ prevents }) => prevents.includes(ability))
  return {
    label,
    serverVersion,
    role,
    works: { export: works('export'), init: works('init'), replace: works('replace'), migrate: works('migrate') },
    findings,
  }
}

/** An embedded database that is not there is made by the first migration. */
const withoutMigrate: readonly Ability[] = ['export', 'init', 'replace']

const OLDEST_NODE = [20, 19] as const

function examineNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isOldEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
  if (isOldEnough) return good('node', `Node ${process.versions.node}`)
  return bad('node', ABILITIES, `Node ${process.versions.node} is too old`, 'Use Node 20.19 or newer.')
}

async function examineSession(database: Database, session: Session, settings: Settings): Promise<SessionFacts> {
  const startedAt = performance.now()
  const [server] = await session.query<{ version: number; role: string }>(
    `select current_setting('server_version_num')::int as version, current_user::text as role`,
  )
  const durationMs = Math.max(1, Math.round(performance.now() - startedAt))
  const findings = [good('connection', `${database.label} answers in ${durationMs} ms`)]
  // Asked outside a transaction: a pooler shows itself between two of them.
  findings.push(...(await examinePooler(session)))
  const isolation = 'repeatable read'
  await session.transaction({ isolation, isReadOnly: true }, async () => {
    await pinSettings(session)
    findings.push(...(await examineSafely(session, 'locks', () => examineLocks(session))))
    await session.script(`set local lock_timeout = '${PATIENCE_MS}ms'`)
    const patient = await readPatientOrLock(database, session, settings)
    if ('state' in patient) findings.push(patient)
    else {
      for (const [topic, examine] of EXAMINATIONS)
        findings.push(...(await examineSafely(session, topic, () => examine(patient))))
    }
  })
  return { serverVersion: server?.version ?? 0, role: server?.role ?? '', findings }
}

/** The catalog gives no definition of a relation that somebody has locked altogether; that is told rather than waited for. */
const PATIENCE_MS = 2000
const LOCK_NOT_AVAILABLE = '55P03'

async function readPatientOrLock(database: Database, session: Session, settings: Settings): Promise<Patient | Finding> {
  await session.script('savepoint understudy_doctor')
  try {
    const patient = await readPatient(database, session, settings)
    await session.script('release savepoint understudy_doctor')
    return patient
  } catch (error) {
    if (describeSqlError(error)?.sqlstate !== LOCK_NOT_AVAILABLE) throw error
    await session.script('rollback to savepoint understudy_doctor')
    const message = 'relations are locked altogether, so the catalog cannot be read at the moment'
    return bad('locks', ABILITIES, message, 'Ask again when the transaction that is named above has ended.')
  }
}

async function readPatient(database: Database, session: Session, settings: Settings): Promise<Patient> {
  const catalog = await readCatalog(session)
  const built = buildModel(catalog, settings)
  const context = createSqlContext(catalog, built.model, null)
  const content = built.model.relations.flatMap((each) => context.relations.get(relationLabel(each))?.oid ?? [])
  return { session, database, settings, catalog, built, content }
}

type Examination = (patient: Patient) => Promise<Finding[]>

const EXAMINATIONS: readonly (readonly [Topic, Examination])[] = [
  ['server', examineServer],
  ['privileges', examinePrivileges],
  ['settings', examineSettings],
  ['encoding', examineEncoding],
  ['collations', examineCollations],
  ['extensions', examineExtensions],
  ['row security', examineRowSecurity],
  ['event triggers', examineEventTriggers],
  ['disk', examineDisk],
  ['model', examineModel],
  ['configuration', examineConfiguration],
]

/** What a role may not even look at is a finding like any other. */
async function examineSafely(session: Session, topic: Topic, examine: () => Promise<Finding[]>): Promise<Finding[]> {
  await session.script('savepoint understudy_doctor')
  try {
    const findings = await examine()
    await session.script('release savepoint understudy_doctor')
    return findings
  } catch (error) {
    const facts = describeSqlError(error)
    if (facts === undefined) throw error
    await session.script('rollback to savepoint understudy_doctor')
    return [
      warning(
        topic,
        `could not be looked at: ${facts.message}`,
        'Ask again with a role that may read the catalog of the server.',
      ),
    ]
  }
}

async function examineMigrations(settings: Settings, options: DatabaseOptions): Promise<Finding[]> {
  if (!existsSync(settings.migrations.folder)) return []
  try {
    const { pendingCount, problemCount } = await migrationStatus(settings, options)
    if (problemCount > 0) {
      const message = `${problemCount} applied migrations and their files disagree`
      return [
        bad(
          'migrations',
          ['migrate'],
          message,
          'See which with `understudy migrate status`, and bring the files back as they were applied.',
        ),
      ]
    }
    return [good('migrations', pendingCount === 0 ? 'none is pending' : `${pendingCount} pending`)]
  } catch (error) {
    const isKnown = error instanceof UnderstudyError
    const facts = describeSqlError(error)
    if (options.signal?.aborted || (!isKnown && facts === undefined)) throw error
    const { message, detail, hint } = isKnown
      ? error
      : { message: facts?.message, detail: facts?.detail, hint: facts?.hint }
    const text = [message, detail?.replaceAll('\n', '; ')].filter(Boolean).join(': ')
    return [bad('migrations', ['migrate'], text, hint ?? 'See `understudy migrate status`.')]
  }
}
