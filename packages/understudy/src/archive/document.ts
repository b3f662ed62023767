import type { FileEntry } from './archive-index.js'
import { FORMAT_VERSION } from './limits.js'

type DocumentFacts = Pick<FileEntry, 'schema' | 'relation' | 'records' | 'late_seed_columns'>

/** What follows the last record. */
export const DOCUMENT_TAIL = Buffer.from(']}\n')

/** The first line of a relation's document. It follows from the index to the byte, so a reader compares and parses nothing. */
export function documentHead(facts: DocumentFacts): Buffer {
  const fields = JSON.stringify({
    table: facts.relation,
    schema: facts.schema,
    version: FORMAT_VERSION,
    record_count: facts.records,
    late_seed_columns: facts.late_seed_columns,
  })
  return Buffer.from(`${fields.slice(0, -1)},"records":[\n`)
}

/** All bytes of a document around `bodyBytes` of records. */
export function documentBytes(facts: DocumentFacts, bodyBytes: number): number {
  return documentHead(facts).length + bodyBytes + DOCUMENT_TAIL.length
}
