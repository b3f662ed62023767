import { join, resolve } from 'node:path'
import type {
  DataPackageConfig,
  ImportMode,
  MigrationPackageConfig,
  SeedConfig,
  UnderstudyConfig,
} from './define-config.js'
import type { DatabaseSource, DataPackage, MigrationPackage, Settings } from './settings.js'

/**
 * Identity columns by convention, the most telling first: the only names of an application's columns that the engine knows. A unique
 * `slug` or `code` needs no place here, it is a natural key anyway.
 */
export const DEFAULT_IDENTITY_COLUMNS: readonly string[] = ['xmlid', 'xml_id', 'external_id', 'guid', 'uuid']

export interface ConfigOrigin {
  readonly root: string
  readonly configFile: string | null
  /** The process's environment over that of `.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** As given with `--database`, its folder already absolute. */
  readonly database?: string | undefined
}

/** Fills in every default and makes every path absolute. */
export function resolveSettings(config: UnderstudyConfig, origin: ConfigOrigin): Settings {
  const { root, configFile, environment } = origin
  return {
    root,
    configFile,
    ...resolveDatabase(config, origin),
    archives: resolve(root, config.archives ?? 'data/sync'),
    schemas: config.schemas ?? [],
    environment: config.environment ?? (environment.NODE_ENV === 'production' ? 'production' : 'development'),
    identityColumns: config.identityColumns ?? DEFAULT_IDENTITY_COLUMNS,
    exclude: config.exclude ?? [],
    relations: bare(config.relations),
    references: bare(config.references),
    triggers: config.triggers ?? 'suspend',
    onMissing: config.onMissing ?? 'fail',
    refresh: config.refresh ?? [],
    migrations: {
      folder: resolve(root, config.migrations?.folder ?? 'migrations'),
      archivedFolder: resolve(
        root,
        config.migrations?.archived ?? join(config.migrations?.folder ?? 'migrations', 'archived'),
      ),
      mirror: config.migrations?.mirror ?? null,
      packages: resolvePackages(config.migrations?.packages ?? {}),
      startWith: environment.DB_MIGRATION_STARTWITH || null,
      endWith: environment.DB_MIGRATION_ENDWITH || null,
      includesManual: environment.RUN_MANUAL_MIGRATIONS === 'true',
      backup:
        config.migrations?.backup === true ||
        environment.NODE_ENV === 'production' ||
        config.environment === 'production',
    },
    dataPackages: Object.entries(config.dataPackages ?? {}).map(([name, own]) => resolveDataPackage(name, own, root)),
    checks: resolve(root, config.checks ?? 'checks'),
    isChecksNamed: config.checks !== undefined,
  }
}

/** Makes the folder of a `pglite:` URL absolute; leaves any other URL, and `pglite:memory`, as it is. */
export function resolveDatabaseUrl(url: string, folder: string): string {
  const path = /^pglite:(?!\/\/)(.+)$/s.exec(url)?.[1]
  return path === undefined || path === 'memory' ? url : `pglite:${resolve(folder, path)}`
}

function resolveDatabase(
  config: UnderstudyConfig,
  { root, environment, database }: ConfigOrigin,
): { database: string; databaseSource: DatabaseSource } {
  const candidates: [DatabaseSource, string | undefined][] = [
    ['--database', database],
    ['DATABASE_URL', environment.DATABASE_URL],
    ['configuration', config.database],
    ['default', 'pglite:./data/understudy'],
  ]
  const [databaseSource, url = ''] = candidates.find(([, value]) => value) ?? ['default']
  return { database: resolveDatabaseUrl(url, root), databaseSource }
}

function resolvePackages(packages: Readonly<Record<string, MigrationPackageConfig>>): MigrationPackage[] {
  return Object.entries(packages)
    .map(([name, { title, from, to }]) => ({ name, title, from, to: to ?? Number.POSITIVE_INFINITY }))
    .sort((a, b) => a.from - b.from)
}

const ALL_MODES: readonly ImportMode[] = ['init', 'replace']

function resolveDataPackage(name: string, own: DataPackageConfig, root: string): DataPackage {
  const seedsOf = (seeds: readonly SeedConfig[] = []) =>
    seeds.map((seed) =>
      typeof seed === 'string'
        ? { file: resolve(root, seed), modes: ALL_MODES }
        : { file: resolve(root, seed.file), modes: seed.modes },
    )
  return {
    name,
    title: own.title,
    relations: own.relations ?? [],
    seeds: seedsOf(own.seeds),
    after: seedsOf(own.after),
    hasAssignments: own.assignments ?? false,
    isValidation: own.validation ?? false,
    modes: own.modes ?? ALL_MODES,
  }
}

/** A copy without a prototype, so that looking up `constructor` finds nothing. */
function bare<Value>(record: Readonly<Record<string, Value>> = {}): Readonly<Record<string, Value>> {
  return Object.assign(Object.create(null), record)
}
