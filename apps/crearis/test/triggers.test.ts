import { beforeAll, describe, expect, test } from 'vitest'
import { engines } from '../../../packages/understudy/test/support/engines.js'
import { useCrearis } from './support.js'

describe.each(engines)('on $name', (engine) => {
  const crearis = useCrearis(engine)
  const { execute, one, query } = crearis

  beforeAll(async () => {
    await crearis.migrate('B')
    await execute(`
      insert into users (sysmail, username, password, role) values ('anna@crearis.example', 'Anna', 'x', 'user');
      insert into projects (domaincode, name, type) values ('nord', 'Nord', 'regio');
      insert into projects (domaincode, name, regio) select 'hofbuehne', 'Hofbühne', id from projects;
      insert into project_members (project_id, user_id)
      select projects.id, users.id from projects, users where domaincode = 'nord';
      insert into instructors (xmlid, name) values ('i1', 'Anna'), ('i2', 'Ben');
      insert into participants (xmlid, name) values ('p1', 'Anna');
      insert into events (xmlid, name, project_id) select 'e1', 'Fest', id from projects where domaincode = 'hofbuehne';
      insert into tags (name, name_i18n)
      values ('mask', '{"de": "Maske", "cz": "Maska"}'), ('child', '{"de": "Kinder", "cz": "Děti"}');
    `)
  })

  test('a user marks the instructor and the participant that he is, and brings his region', async () => {
    await query(`
      update users
      set
        instructor_id = (select id from instructors where xmlid = 'i1'),
        participant_id = (select id from participants where xmlid = 'p1')
    `)
    expect(
      await query(`
        select instructors.xmlid, instructors.is_user, projects.domaincode as regio
        from instructors
        left join projects on projects.id = instructors.regio_id
        order by instructors.xmlid
      `),
    ).toEqual([
      { xmlid: 'i1', is_user: true, regio: 'nord' },
      { xmlid: 'i2', is_user: false, regio: null },
    ])
    expect(await one(`select is_user from participants`)).toEqual({ is_user: true })

    await query(`update users set instructor_id = (select id from instructors where xmlid = 'i2')`)
    expect(await query(`select xmlid from instructors where is_user`)).toEqual([{ xmlid: 'i2' }])
  })

  test('an event is published only with somebody who answers for it', async () => {
    await expect(query(`update events set status = 'released'`)).rejects.toThrow(
      'event "e1" has nobody who answers for it',
    )
    await expect(
      query(`update events set status = 'released', public_user = (select id from instructors where xmlid = 'i1')`),
    ).rejects.toThrow()
    await query(`update events set status = 'released', public_user = (select id from instructors where xmlid = 'i2')`)
    await query(`update events set status = 'trash', public_user = null`)
  })

  test('an event follows its project into the region', async () => {
    const regio = `select projects.domaincode from events join projects on projects.id = events.regio_id`
    expect(await one(regio)).toEqual({ domaincode: 'nord' })
    await query(`update events set project_id = null`)
    expect(await query(regio)).toEqual([])
  })

  test('tags of an event are copied in the order of their names, in its language', async () => {
    await query(`insert into events_tags (event_id, tag_id) select events.id, tags.id from events, tags`)
    const copies = `
      select events.tags_display, array(select name from unnest(tags_ids) with ordinality as copy (id, place) join tags using (id) order by place) as names
      from events
    `
    expect(await one(copies)).toEqual({ tags_display: ['Kinder', 'Maske'], names: ['child', 'mask'] })
    await query(`update events set lang = 'cz'`)
    await query(`delete from events_tags where tag_id = (select id from tags where name = 'mask')`)
    expect(await one(copies)).toEqual({ tags_display: ['Děti'], names: ['child'] })
    expect(await one(`select status_display from events`)).toEqual({ status_display: null })
  })

  test('an image keeps its flags, its root and the copies of its crops', async () => {
    await execute(`
      insert into images (xmlid, name, url, project_id, ctags, shape_thumb)
      select 'root', 'Bild', 'u', id, '\\x10', row(1, 2, 1.5, 'https://bilder.example/t', null, null, null, null)::image_shape
      from projects
      where domaincode = 'hofbuehne';
      insert into images (xmlid, name, url, ctags, variations)
      select 'child', 'Bild', 'u', '\\x7b', row(id, null, null, null)::image_variation from images;
      insert into images (xmlid, name, url, ctags, variations)
      select 'grandchild', 'Bild', 'u', '\\xa0', row(id, null, null, null)::image_variation from images where xmlid = 'child';
      update events set img_id = (select id from images where xmlid = 'root');
    `)
    expect(
      await query(`
        select
          images.xmlid, roots.xmlid as root, images.project_domaincode, images.img_show,
          concat_ws(' ', images.is_public, images.is_private, images.is_internal, images.is_deprecated, images.has_issues) as flags
        from images
        left join images as roots on roots.id = images.root_id
        order by images.id
      `),
    ).toEqual([
      { xmlid: 'root', root: null, project_domaincode: 'hofbuehne', img_show: true, flags: 't f f f f' },
      { xmlid: 'child', root: 'root', project_domaincode: null, img_show: false, flags: 'f f t t f' },
      { xmlid: 'grandchild', root: 'root', project_domaincode: null, img_show: false, flags: 'f t f f t' },
    ])
    expect(await one(`select img_show, img_thumb ->> 'url' as url from events`)).toEqual({
      img_show: true,
      url: 'https://bilder.example/t',
    })
    await query(`update images set shape_thumb.url = 'https://bilder.example/neu' where xmlid = 'root'`)
    expect(await one(`select img_thumb ->> 'url' as url from events`)).toEqual({ url: 'https://bilder.example/neu' })
    await query(`update events set img_id = null`)
    expect(await one(`select img_show, img_thumb from events`)).toEqual({ img_show: false, img_thumb: null })
    await expect(
      query(`update images set variations = row(id, null, null, null)::image_variation where xmlid = 'root'`),
    ).rejects.toThrow('has no root within five steps')
  })

  test('a project gets its pages when work on it begins, each once', async () => {
    const begin = `update projects set status_id = status_id_of('projects', $1) where domaincode = 'hofbuehne'`
    const types = `select array_agg(page_type order by page_type) as types from pages`
    await query(begin, ['draft'])
    expect(await one(types)).toEqual({ types: null })
    await query(begin, ['demo'])
    await query(begin, ['progress'])
    expect(await one(types)).toEqual({ types: ['landing', 'team'] })
    await query(`update pages set aside_options = '{"list": "events"}' where page_type = 'team'`)
    expect(await query(`select page_has_content, aside_has_content from pages order by page_type`)).toEqual([
      { page_has_content: false, aside_has_content: false },
      { page_has_content: false, aside_has_content: true },
    ])
  })

  test('a project can be deleted; its pages go with it, what visitors wrote stays', async () => {
    await execute(`
      insert into form_input (project, name) select id, 'Gast' from projects where domaincode = 'hofbuehne';
      delete from projects where domaincode = 'hofbuehne';
    `)
    expect(await query(`select id from pages`)).toEqual([])
    expect(await one(`select project, name from form_input`)).toEqual({ project: null, name: 'Gast' })
  })

  test('a location that is in use makes its project a provider', async () => {
    const provider = `select is_location_provider as it from projects where domaincode = 'nord'`
    await execute(`
      insert into locations (name, project_id, status_id)
      select 'Hof', id, status_id_of('locations', 'archived') from projects where domaincode = 'nord'
    `)
    expect(await one(provider)).toEqual({ it: false })
    await query(`update locations set status_id = status_id_of('locations', 'public')`)
    expect(await one(provider)).toEqual({ it: true })
  })

  test('an address belongs to one user, whichever it is', async () => {
    const add = `insert into users (sysmail, extmail, username, password, role) values ($1, $2, 'x', 'x', 'user')`
    await expect(query(add, ['ben@crearis.example', 'anna@crearis.example'])).rejects.toThrow('another user has one of')
    await query(add, ['ben@crearis.example', 'ben@post.example'])
    await expect(query(add, ['ben@post.example', null])).rejects.toThrow('another user has one of')
  })

  test('a domain takes the ending of its sysdomain', async () => {
    await execute(`
      insert into tlds (name) values ('org'), ('de');
      insert into sysdomains (tld, domain, subdomain) values ('org', 'beispiel', '');
      insert into domains (sysdomain_id, tld, textdomain) select id, 'de', 'nord' from sysdomains;
      insert into domains (tld, textdomain) values ('de', 'nord');
    `)
    expect(await query(`select domainname from domains order by id`)).toEqual([
      { domainname: 'nord.beispiel.org' },
      { domainname: 'nord.de' },
    ])
  })

  test('an interaction has a state of interactions', async () => {
    const add = `insert into interactions (name, status_id) values ('frage', status_id_of($1, 'new'))`
    await expect(query(add, ['events'])).rejects.toThrow('is not one of interactions')
    await query(add, ['interactions'])
  })

  test('a task knows when it was changed', async () => {
    await query(`insert into tasks (id, name) values ('t1', 'Plakat')`)
    expect(await one(`select updated_at from tasks`)).toEqual({ updated_at: null })
    await query(`update tasks set name = 'Plakate'`)
    expect(await one(`select updated_at from tasks`)).toEqual({ updated_at: expect.stringMatching(/^20\d\d-.*Z$/) })
  })
})
