import { expect, test } from 'vitest'
import type { ArchiveIndex } from '../../src/archive/archive-index.js'
import { parseArchiveIndex, renderArchiveIndex } from '../../src/archive/parse-index.js'
import type { UnderstudyError } from '../../src/errors.js'
import { factsFor } from './support.js'

const sha256 = 'a'.repeat(64)
const file = {
  file: 'events.json',
  schema: 'public',
  relation: 'events',
  records: 1,
  bytes: 100,
  sha256,
  content_sha256: sha256,
  late_seed_columns: ['project_id'],
  offset: 10,
  compressed_bytes: 20,
}
const events = { schema: 'public', name: 'events' }
const index = { format_version: '2.0.0', ...factsFor([events]), files: [file] } as Omit<ArchiveIndex, 'index_sha256'>

function refusal(text: string): UnderstudyError {
  try {
    parseArchiveIndex(text)
  } catch (error) {
    return error as UnderstudyError
  }
  throw new Error('it was expected to fail')
}

const refusalOf = (changes: object): UnderstudyError => refusal(renderArchiveIndex({ ...index, ...changes }))

test('reads what it has rendered, and renders the same again', () => {
  const text = renderArchiveIndex(index)
  const parsed = parseArchiveIndex(text)
  expect(parsed).toMatchObject(index)
  const { index_sha256: _, ...rest } = parsed
  expect(renderArchiveIndex(rest)).toBe(text)
  expect(text).toMatch(/^\{\n {2}"format_version": "2\.0\.0",\n[\s\S]*\n\}\n$/)
})

test('keeps a field of the model that it does not know', () => {
  const [relation] = index.model.relations
  const model = { relations: [{ ...relation, partitioned: true }] }
  expect(parseArchiveIndex(renderArchiveIndex({ ...index, model } as typeof index)).model.relations[0]).toMatchObject({
    partitioned: true,
  })
})

test('does not mind white space, but any other change', () => {
  const text = renderArchiveIndex(index)
  expect(parseArchiveIndex(JSON.stringify(JSON.parse(text)))).toMatchObject(index)
  expect(refusal(text.replace('"database": "stage"', '"database": "other"'))).toMatchObject({
    code: 'ARCHIVE_DAMAGED',
    message: 'backup-index.json differs from its own checksum',
  })
})

test('lists every finding', () => {
  const error = refusalOf({ id: 'x', warnings: 'none', source: { instance: 5, server_version: '18', database: 'd' } })
  expect(error.code).toBe('ARCHIVE_INDEX_INVALID')
  expect(error.detail?.split('\n').map((line) => line.split(':')[0])).toEqual(['id', 'source.instance', 'warnings'])
})

test.each([
  ['a name that leads elsewhere', { files: [{ ...file, file: '../events.json' }] }, 'is not safe'],
  ['the name of the index', { files: [{ ...file, file: 'backup-index.json' }] }, 'is not safe'],
  ['a file twice', { files: [file, { ...file, relation: 'posts' }] }, 'events.json stands twice'],
  ['a relation twice', { files: [file, { ...file, file: 'posts.json' }] }, 'public.events stands twice'],
  ['a relation that the model lacks', { model: { relations: [] } }, 'public.events is not in the model'],
  ['a negative count', { files: [{ ...file, records: -1 }] }, 'files.0.records'],
  ['a count beyond what a number holds', { files: [{ ...file, bytes: 2 ** 60 }] }, 'files.0.bytes'],
  ['a hash that is none', { files: [{ ...file, sha256: 'x' }] }, 'files.0.sha256'],
  [
    'an encoding that is unknown',
    {
      model: {
        relations: [
          {
            ...index.model.relations[0],
            columns: [{ name: 'a', key: 'a', type: 'int4', encoding: 'xml', isNullable: true }],
          },
        ],
      },
    },
    'model.relations.0.columns.0.encoding',
  ],
  ['a file that is none', { files: [null] }, 'files.0'],
])('refuses %s', (_, changes, detail) => {
  const error = refusalOf(changes)
  expect(error.code).toBe('ARCHIVE_INDEX_INVALID')
  expect(error.detail).toContain(detail)
})

test.each(['', '{', 'null', '[]', '"2.0.0"', '{}'])('refuses %j', (text) => {
  expect(refusal(text)).toMatchObject({ code: 'ARCHIVE_INDEX_INVALID' })
})

test('recognises the format of the original plan', () => {
  const planned = {
    created_at: '2025-11-09T10-30-00-000Z',
    tables: ['events'],
    files: { events: '2025-11-09T10-30-00-000Z.json' },
    metadata: { database_version: '0.0.1', migration_package: 'A-B', total_records: 42 },
  }
  expect(refusal(JSON.stringify(planned))).toMatchObject({
    code: 'ARCHIVE_VERSION_1',
    hint: expect.stringContaining('export the source again'),
  })
  expect(refusal('{"format_version":"1.0.0"}')).toMatchObject({ code: 'ARCHIVE_VERSION_1' })
})

test.each(['"3.0.0"', '"2.1.0"', '2', 'null'])('refuses format %s by its name', (version) => {
  const error = refusal(`{"format_version":${version}}`)
  expect(error).toMatchObject({ code: 'ARCHIVE_VERSION_UNKNOWN', detail: 'this version reads 2.0.0' })
  expect(error.message).toContain(version)
})
