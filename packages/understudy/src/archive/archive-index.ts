import type { ContentModel } from '../model/model.js'
import type { LineageEntry } from '../registry/registry.js'

/**
 * What `backup-index.json` says: everything about an archive but the rows. The names are those of the file, so that a reader of the file
 * and a reader of the code see one thing.
 */
export interface ArchiveIndex {
  readonly format_version: string
  /** A uuid, new for every archive. */
  readonly id: string
  /** ISO 8601, UTC. */
  readonly created_at: string
  readonly tool_version: string
  readonly source: ArchiveSource
  /** The archives that the source had imported and exported before, newest first. */
  readonly lineage: readonly LineageEntry[]
  /** The migrations applied in the source, in their order. */
  readonly migrations: readonly AppliedMigration[]
  readonly model: ContentModel
  readonly extensions: readonly Extension[]
  readonly selection: Selection
  readonly masks: readonly Mask[]
  readonly warnings: readonly string[]
  /** In order of schema and relation. */
  readonly files: readonly FileEntry[]
  /** SHA-256 of all that stands before it, so of the whole archive: `files` holds the hashes of the rows. */
  readonly index_sha256: string
}

/** Where an archive comes from. Never a host, a user or a password. */
export interface ArchiveSource {
  /** The instance's uuid, or null where the source has no registry. */
  readonly instance: string | null
  readonly server_version: string
  readonly database: string
}

export interface AppliedMigration {
  readonly id: string
  readonly checksum: string
}

export interface Extension {
  readonly name: string
  readonly version: string
}

/** What was asked for, as patterns or names; an empty `only` is everything. */
export interface Selection {
  readonly only: readonly string[]
  readonly exclude: readonly string[]
}

/** A column whose values were replaced on the way out. */
export interface Mask {
  readonly schema: string
  readonly relation: string
  readonly column: string
  readonly expression: string
}

/** One relation's document. */
export interface FileEntry {
  readonly file: string
  readonly schema: string
  readonly relation: string
  readonly records: number
  /** Length of the document, not compressed. */
  readonly bytes: number
  /** Of the document, as `sha256sum` prints it. */
  readonly sha256: string
  /** Of the canonical lines, each ended by `\n`: equal for equal rows, whatever their surrogate ids. */
  readonly content_sha256: string
  readonly late_seed_columns: readonly string[]
  /**
   * Of a relation known by its origin: the instances whose rows these may be, the source and all that it took rows from, directly or through
   * others. A target that shares none of them cannot tell its own rows from these.
   */
  readonly instances?: readonly string[] | undefined
  /** Where the gzip member that begins with this file's tar header starts in the archive. A hint: packing again moves it. */
  readonly offset: number
  /** Length of the file's gzip members. */
  readonly compressed_bytes: number
}

/** What a caller knows about an archive; the writer adds the rest. `id` and `created_at` are made where absent. */
export type IndexFacts = Omit<ArchiveIndex, MadeByWriter | GivenOrMade> & Partial<Pick<ArchiveIndex, GivenOrMade>>

type MadeByWriter = 'format_version' | 'files' | 'index_sha256'
type GivenOrMade = 'id' | 'created_at'
