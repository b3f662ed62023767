import { describe, expect, test } from 'vitest'
import { engines } from '../support/engines.js'
import { countsOf, createStage } from '../support/scenario.js'

const PEOPLE = `
create table people (
  id serial primary key,
  name text not null unique,
  mail text unique check (mail ~ '@'),
  desk text not null unique check (desk ~ '^[a-z][a-z0-9_]*$'),
  rank int not null unique
);`

describe.each(engines)('unique keys on $name', (engine) => {
  test('swapped and shifted values arrive', async () => {
    const source = await createStage(
      engine,
      `${PEOPLE} insert into people (name, mail, desk, rank) values
      ('ada', 'b@x.example', 'two', 2), ('bob', 'a@x.example', 'one', 3), ('cyd', 'c@x.example', 'three', 1), ('dan', 'd@x.example', 'four', 4)`,
    )
    const target = await createStage(
      engine,
      `${PEOPLE} insert into people (name, mail, desk, rank) values
      ('cyd', 'd@x.example', 'three', 3), ('bob', 'b@x.example', 'two', 2), ('ada', 'a@x.example', 'one', 1)`,
    )
    expect(countsOf(await target.import((await source.export()).path))).toEqual({ people: 'insert 1, update 3' })
    expect(await target.rows('select name, mail, desk, rank from people order by name')).toEqual(
      await source.rows('select name, mail, desk, rank from people order by name'),
    )
  })

  test('a value that another row keeps is reported with both rows, and nothing is written', async () => {
    const source = await createStage(
      engine,
      `${PEOPLE} insert into people (name, mail, desk, rank) values ('ada', 'x@x.example', 'one', 1)`,
    )
    const target = await createStage(
      engine,
      `${PEOPLE} insert into people (name, mail, desk, rank) values ('eve', 'x@x.example', 'two', 2)`,
    )
    await expect(target.import((await source.export()).path)).rejects.toMatchObject({
      code: 'IMPORT_REFUSED',
      detail:
        'people.mail: 1 value is taken by another row of the target under people_mail_key: "one": "x@x.example" (taken by "two" (id 1))',
    })
    expect(await target.rows('select name from people')).toEqual([{ name: 'eve' }])
  })
})
