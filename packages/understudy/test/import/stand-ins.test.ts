import { describe, expect, test } from 'vitest'
import { engines } from '../support/engines.js'
import { countsOf, createStage } from '../support/scenario.js'

/** What makes a member the same member elsewhere are the project and the user. `tasks` and `notes` refer to members in their turn. */
const SCHEMA = `
create table users (id serial primary key, name text not null unique);
create table projects (id serial primary key, code text not null unique);
create table members (id serial primary key, project_id int not null references projects, user_id int not null references users, role text, unique (project_id, user_id));
create table seats (project_id int references projects, user_id int references users, place int, primary key (project_id, user_id));
create table tasks (id serial primary key, title text not null unique, member_id int references members);
create table notes (member_id int references members, text text);`
const CONTENT = `${SCHEMA}
insert into users values (1, 'ada'), (2, 'bob'); insert into projects values (1, 'p'), (2, 'q');
insert into members values (1, 1, 1, 'lead'), (2, 1, 2, 'help'), (3, 2, 2, 'lead'); insert into seats values (1, 1, 4), (1, 2, 5);
insert into tasks (title, member_id) values ('plan', 1), ('do', 2); insert into notes values (1, 'n');`
const TARGET = `${SCHEMA} insert into users values (70, 'bob'), (71, 'nobody'); insert into projects values (80, 'q');`
const config = {
  relations: { users: { placeholder: { name: 'nobody' } }, notes: { owner: 'member_id' } },
}
const MEMBERS = `select p.code, u.name, m.role from members m join projects p on p.id = project_id join users u on u.id = user_id order by 1, 2`
const READ = [
  MEMBERS,
  `select p.code, u.name, s.place from seats s join projects p on p.id = project_id join users u on u.id = user_id order by 1, 2`,
  `select t.title, m.role, u.name from tasks t join members m on m.id = member_id join users u on u.id = user_id order by 1`,
  `select n.text, u.name from notes n join members m on m.id = member_id join users u on u.id = user_id order by 1`,
]

describe.each(engines)('stand-ins in identities on $name', (engine) => {
  async function givenMembersWithoutAda() {
    const source = await createStage(engine, CONTENT, config)
    const target = await createStage(engine, TARGET, config)
    const { path } = await source.export({ exclude: ['users'] })
    await target.import(path, { onMissing: 'placeholder' })
    const [standIn] = await target.rows<{ id: number }>(
      `select m.id from members m join users u on u.id = user_id where u.name = 'nobody'`,
    )
    return { source, target, path, standIn }
  }

  test('the row is the same when what it waits for arrives, with it or alone', async () => {
    for (const only of [undefined, ['users']]) {
      const { source, target, standIn } = await givenMembersWithoutAda()
      const { path } = await source.export(only === undefined ? {} : { only })
      const planned = await target.import(path, { isDryRun: true })
      const result = await target.import(path)
      expect(result.plan).toEqual(planned.plan)
      if (only === undefined) {
        expect(countsOf(result)).toMatchObject({
          members: 'update 1, same 2',
          seats: 'update 1, same 1',
          users: 'insert 1, same 1',
        })
      }
      for (const query of READ) expect(await target.rows(query)).toEqual(await source.rows(query))
      expect(
        await target.rows(`select m.id from members m join users u on u.id = user_id where u.name = 'ada'`),
      ).toEqual([standIn])
      expect(await target.rows('select * from understudy.late_reference')).toEqual([])
      const again = await target.import((await source.export()).path)
      expect(Object.values(countsOf(again)).join()).not.toMatch(/insert|update|delete/)
    }
  })

  test('an archive that leaves it waiting finds the row again, and what refers to it', async () => {
    const { source, target, path, standIn } = await givenMembersWithoutAda()
    await source.run(`insert into tasks (title, member_id) values ('more', 1)`)
    await target.import(path, { onMissing: 'placeholder' })
    const second = await source.export({ exclude: ['users'] })
    const result = await target.import(second.path, { onMissing: 'placeholder' })
    expect(countsOf(result)).toMatchObject({ members: 'update 1, same 2', tasks: expect.stringMatching(/insert 1/) })
    expect(await target.rows(`select member_id from tasks where title in ('plan', 'more')`)).toEqual(
      [standIn, standIn].map((each) => ({ member_id: each?.id })),
    )
    await target.import((await source.export()).path)
    for (const query of READ) expect(await target.rows(query)).toEqual(await source.rows(query))
  })

  test('a stand-in gives way to the row that somebody has made meanwhile', async () => {
    const { source, target } = await givenMembersWithoutAda()
    await target.run(`insert into users values (90, 'ada'); delete from notes;
      insert into members select 91, id, 90, 'by hand' from projects where code = 'p'; insert into seats select id, 90, 9 from projects where code = 'p'`)
    const { path } = await source.export()
    const result = await target.import(path)
    expect(countsOf(result)).toMatchObject({
      members: 'update 1, delete 1, same 2',
      tasks: 'update 1, same 1',
      seats: 'update 1, delete 1, same 1',
    })
    for (const query of READ) expect(await target.rows(query)).toEqual(await source.rows(query))
    expect(await target.rows('select id from members where id = 91')).toEqual([{ id: 91 }])
    expect(await target.rows('select * from understudy.late_reference')).toEqual([])
  })

  test('a stand-in that others refer to is not taken away from them: both rows are named, and nothing is written', async () => {
    const { source, target, standIn } = await givenMembersWithoutAda()
    await target.run(
      `insert into users values (90, 'ada'); insert into members select 91, id, 90, 'by hand' from projects where code = 'p'`,
    )
    const before = await target.rows(MEMBERS)
    const named = new RegExp(`members.*stand.*id ${standIn?.id}.*id 91`)
    await expect(target.import((await source.export()).path)).rejects.toMatchObject({
      code: 'IMPORT_REFUSED',
      detail: expect.stringMatching(named),
      hint: expect.stringMatching(/[Dd]elete/),
    })
    // An archive without the members would make the stand-in their double.
    await target.run(`delete from tasks; delete from notes`)
    await expect(target.import((await source.export({ only: ['users'] })).path)).rejects.toMatchObject({
      code: 'IMPORT_REFUSED',
      detail: expect.stringMatching(named),
    })
    expect(await target.rows(MEMBERS)).toEqual(before)
  })

  test('two rows that one placeholder would make the same are refused', async () => {
    const source = await createStage(engine, CONTENT, config)
    const target = await createStage(engine, `${SCHEMA} insert into users values (71, 'nobody')`, config)
    await expect(
      target.import((await source.export({ exclude: ['users'] })).path, { onMissing: 'placeholder' }),
    ).rejects.toMatchObject({ code: 'IMPORT_REFUSED', detail: expect.stringMatching(/members.*"ada".*"bob"/s) })
  })
})
