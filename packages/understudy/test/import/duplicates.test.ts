import { describe, expect, test } from 'vitest'
import { readArchive } from '../../src/archive/reader.js'
import { createArchive } from '../../src/archive/writer.js'
import { engines } from '../support/engines.js'
import { createStage, type Stage } from '../support/scenario.js'
import { createScratchFolder } from '../support/scratch.js'

const SCHEMA = `
create table places (id serial primary key, "Code" text unique, "order" text);
create table seats (id serial primary key, place_id int not null references places, number int not null, note text, unique (place_id, number));
create table notes (id serial primary key, body text);
`
const CONTENT = `
insert into places ("Code", "order") values ('a', '1'), ('b', '2'), ('c', '3');
insert into seats (place_id, number, note) values (1, 1, 'x'), (1, 2, 'x'), (2, 1, 'x');
insert into notes (body) values ('n');
`
const config = { relations: { places: { identity: ['Code'] } } }

/** Writes an archive like an export of the stage, with other lines in one of its relations. */
async function archiveWith(stage: Stage, relation: string, lines: (instance: string) => readonly string[]) {
  const index = await readArchive((await stage.export({ only: [relation] })).path)
  const archive = await createArchive({ path: `${await createScratchFolder()}/made.backup.tar.gz` })
  const text = lines(index.source.instance ?? '')
    .map((line) => `${line}\n`)
    .join('')
  await archive.addRelation({ schema: 'public', name: relation, lateSeedColumns: [] }, pieces(text))
  return (await archive.finish({ ...index, id: crypto.randomUUID(), source: { ...index.source, instance: null } })).path
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

const place = (id: number, code: string, order: string) => `{"master_id":${id},"Code":"${code}","order":"${order}"}`

describe.each(engines)('two rows of an archive with the same identity on $name', (engine) => {
  test('both new, both changed, or one as it is in the target: refused by name, nothing written', async () => {
    const stage = await createStage(engine, SCHEMA + CONTENT, config)
    const before = await stage.rows('select * from places order by id')
    for (const [lines, sample] of [
      [[place(7, 'z', '1'), place(8, 'z', '2')], '["z"]'],
      [[place(7, 'a', '8'), place(8, 'a', '9')], '["a"]'],
      [[place(7, 'a', '1'), place(8, 'a', '9'), place(9, 'b', '2')], '["a"]'],
      [[place(7, 'b', '9'), place(8, 'c', '3'), place(9, 'b', '2')], '["b"]'],
    ] as const) {
      await expect(stage.import(await archiveWith(stage, 'places', () => lines))).rejects.toMatchObject({
        code: 'IMPORT_REFUSED',
        message: 'several rows of the archive have the same identity',
        detail: `places: 1 identity is borne by several rows (Code): ${sample}`,
      })
    }
    expect(await stage.rows('select * from places order by id')).toEqual(before)
    const path = await archiveWith(stage, 'places', () => [place(7, 'a', '1'), place(8, 'a', '1')])
    await expect(stage.import(path)).rejects.toMatchObject({
      code: 'ARCHIVE_LINE_INVALID',
      message: expect.stringMatching(/^record 2 of public\.places .* repeats the one before it$/),
    })
  })

  test('an identity of several columns, one of them a reference', async () => {
    const stage = await createStage(engine, SCHEMA + CONTENT, config)
    const seat = (id: number, code: string, note: string) =>
      `{"master_id":${id},"place_id":"${code}","number":1,"note":"${note}"}`
    const path = await archiveWith(stage, 'seats', () => [seat(5, 'a', 'x'), seat(6, 'a', 'y'), seat(7, 'b', 'x')])
    await expect(stage.import(path)).rejects.toMatchObject({
      detail: 'seats: 1 identity is borne by several rows (place_id.Code, number): ["a", "1"]',
    })
  })

  test('an origin that stands twice', async () => {
    const stage = await createStage(engine, SCHEMA + CONTENT, config)
    const empty = await createStage(engine, SCHEMA, config)
    const path = await archiveWith(stage, 'notes', (instance) => [
      `{"master_id":1,"$origin":"${instance}:1","body":"n"}`,
      `{"master_id":1,"$origin":"${instance}:1","body":"m"}`,
    ])
    await expect(empty.import(path, { mode: 'init' })).rejects.toMatchObject({
      detail: expect.stringMatching(/^notes: 1 identity is borne by several rows \(origin\): \["[0-9a-f-]{36}:1"\]$/),
    })
  })
})
