import { describe, expect, test } from 'vitest'
import { readCatalog } from '../../src/catalog/read-catalog.js'
import type { UnderstudyConfig } from '../../src/config/define-config.js'
import { pinSettings } from '../../src/database/settings.js'
import { inspectDatabase } from '../../src/inspect/inspect-database.js'
import { requireModel } from '../../src/model/build-model.js'
import { fitSettings } from '../../src/model/fit-settings.js'
import { relationLabel } from '../../src/model/model.js'
import { engines } from '../support/engines.js'
import { createStage, type Stage } from '../support/scenario.js'

const SCHEMA = `create table singers (name text primary key);
  create view loud as select name from singers;
  create schema stage; create table stage.shows (name text primary key);
  create schema empty;`

describe.each(engines.slice(0, 2))('names in the configuration on $name', (engine) => {
  test('that name nothing are refused, all of them with the others', async () => {
    const stage = await createStage(engine, SCHEMA, {
      schemas: ['public', 'stages', 'nosuch'],
      exclude: ['singrs', 'stage.show', '*_log', 'stage.s*'],
      relations: { persons: {} },
    })
    const problems = [
      'relations.persons: there is no relation persons',
      'schemas: there is no schema stages, perhaps stage',
      'schemas: there is no schema nosuch',
      'exclude: there is no relation singrs, perhaps singers',
      'exclude: there is no relation stage.show, perhaps stage.shows',
    ]
    await expect(stage.export()).rejects.toMatchObject({ code: 'MODEL_INVALID', detail: problems.join('\n') })
    const { database } = stage.created
    expect((await inspectDatabase(stage.settings, { database })).problems).toEqual(problems)
    const { files } = await stage.export({ purpose: 'backup' })
    expect(files.map(({ relation }) => relation)).toEqual(['singers', 'stage.shows'])
  })

  test('that name a view, a schema without relations, a relation of another schema or of another database are fine', async () => {
    const stage = await createStage(engine, SCHEMA, {
      schemas: ['public', 'empty'],
      exclude: ['loud', 'stage.shows', 'shows', 'public.singers', 'of_another_database'],
    })
    expect((await stage.export()).files).toEqual([])
  })

  test('are passed over at a level of the schema that lacks them; where no schema is left, nothing is content', async () => {
    const fitted = async (config: UnderstudyConfig) => contentOf(await createStage(engine, SCHEMA, config))
    expect(await fitted({ schemas: ['stage', 'later'], exclude: ['tomorrow'] })).toEqual(['stage.shows'])
    expect(await fitted({ schemas: ['later'] })).toEqual([])
    expect(await fitted({ exclude: ['singers', 'tomorrow'] })).toEqual(['stage.shows'])
  })
})

/** What is content under the fitted settings. */
async function contentOf({ settings, created }: Stage): Promise<string[]> {
  return await created.database.withSession((session) =>
    session.transaction({ isReadOnly: true }, async () => {
      await pinSettings(session)
      const catalog = await readCatalog(session)
      return requireModel(catalog, fitSettings(catalog, settings)).model.relations.map(relationLabel)
    }),
  )
}
