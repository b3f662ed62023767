import { describe, expect, test } from 'vitest'
import { engines } from '../../../packages/understudy/test/support/engines.js'
import { useCrearis } from './support.js'
import { rowsWithTextIds } from './text-ids.js'

describe.each(engines)('019 and 020, on $name', (engine) => {
  const crearis = useCrearis(engine)

  test('stop at a link that points nowhere, and leave everything as it was', async () => {
    await crearis.migrate('A')
    await crearis.execute(rowsWithTextIds)
    await crearis.query(
      `insert into event_instructors (event_id, instructor_id) values ('_demo.event_fest', 'niemand')`,
    )

    await expect(crearis.migrate('B')).rejects.toThrow('no row of instructors has the key "niemand"')

    expect(await crearis.one(`select count(*)::integer as count from events where id like '\\_demo.%'`)).toEqual({
      count: 2,
    })
  })

  test('carry the rows over: old ids become names, links stay right', async () => {
    await crearis.query(`delete from event_instructors where instructor_id = 'niemand'`)

    await crearis.migrate('B')

    const event = await crearis.one(`
        select
          events.xmlid, events.name, events.event_xmlid, events.address_id, events.template, events.status,
          events.status_display, users.sysmail, projects.domaincode, instructors.xmlid as host, locations.xmlid as place,
          regions.domaincode as regio
        from events
        join users on users.id = events.user_id
        join projects on projects.id = events.project_id
        join instructors on instructors.id = events.public_user
        join locations on locations.id = events.location
        join projects as regions on regions.id = events.regio_id
        where events.xmlid = '_demo.event_kür'
      `)
    expect(event).toEqual({
      xmlid: '_demo.event_kür',
      name: 'Kür',
      event_xmlid: '_demo.event_fest',
      address_id: '_demo.location_hof',
      template: '_demo.event_fest',
      status: 'released',
      status_display: 'veröffentlicht',
      sysmail: 'berta@crearis.example',
      domaincode: 'hofbuehne',
      host: 'nord.partner.berta_süß',
      place: '_demo.location_hof',
      regio: 'nord',
    })

    const post = await crearis.one(`
        select posts.xmlid, posts.author_id, posts.event_xmlid, projects.domaincode, instructors.xmlid as host
        from posts
        join projects on projects.id = posts.project_id
        join instructors on instructors.id = posts.public_user
      `)
    expect(post).toEqual({
      xmlid: '_demo.post_001',
      author_id: 'nord.partner.berta_süß',
      event_xmlid: '_demo.event_kür',
      domaincode: 'hofbuehne',
      host: 'nord.partner.berta_süß',
    })

    const project = await crearis.one(`
        select
          projects.domaincode, owners.sysmail as owner, regions.domaincode as regio, projects.status_old,
          status.name as status, status."table", domains.domainname, admins.sysmail as admin,
          (
            select array_agg(users.sysmail order by place)
            from jsonb_array_elements_text(projects.member_ids) with ordinality as member (id, place)
            join users on users.id = member.id::integer
          ) as members
        from projects
        join users as owners on owners.id = projects.owner_id
        join projects as regions on regions.id = projects.regio
        join status on status.id = projects.status_id
        join domains on domains.project_id = projects.id and domains.id = projects.domain_id
        join users as admins on admins.id = domains.admin_user_id
      `)
    expect(project).toEqual({
      domaincode: 'hofbuehne',
      owner: 'anna@crearis.example',
      regio: 'nord',
      status_old: 'progress',
      status: 'progress',
      table: 'projects',
      domainname: 'hofbuehne.projekte.beispiel.org',
      admin: 'berta@crearis.example',
      members: ['berta@crearis.example', 'anna@crearis.example'],
    })

    const berta = await crearis.one(`
        select
          users.username, instructors.xmlid as instructor, instructors.is_user, participants.xmlid as participant,
          participants.is_user as participates, participants.country_id
        from users
        join instructors on instructors.id = users.instructor_id
        join participants on participants.id = users.participant_id
      `)
    expect(berta).toEqual({
      username: 'Berta Süß',
      instructor: 'nord.partner.berta_süß',
      is_user: true,
      participant: '_demo.adult_001',
      participates: true,
      country_id: 'base.cz',
    })

    const pairs = await crearis.one(`
        select events.xmlid as event, instructors.xmlid as instructor, members.role, member.sysmail, team.domaincode
        from event_instructors
        join events on events.id = event_instructors.event_id
        join instructors on instructors.id = event_instructors.instructor_id
        cross join project_members as members
        join users as member on member.id = members.user_id
        join projects as team on team.id = members.project_id
      `)
    expect(pairs).toEqual({
      event: '_demo.event_kür',
      instructor: 'nord.partner.berta_süß',
      role: 'owner',
      sysmail: 'anna@crearis.example',
      domaincode: 'hofbuehne',
    })

    const pages = await crearis.query(`
        select pages.page_type, projects.domaincode, users.sysmail, page_sections.heading
        from pages
        join projects on projects.id = pages.project_id
        left join users on users.id = pages.user_id
        left join page_sections on page_sections.page = pages.id
        order by pages.page_type
      `)
    expect(pages).toEqual([
      { page_type: 'landing', domaincode: 'hofbuehne', sysmail: 'berta@crearis.example', heading: 'Termine' },
      { page_type: 'team', domaincode: 'hofbuehne', sysmail: null, heading: null },
    ])
    expect(
      await crearis.one(`select projects.domaincode from form_input join projects on projects.id = project`),
    ).toEqual({
      domaincode: 'hofbuehne',
    })

    const tasks = await crearis.query(`
        select tasks.id, tasks.record_id, tasks.assigned_to, tasks.cimg, tasks.updated_at, tasks.status_display
        from tasks
        where tasks.category <> 'main'
        order by tasks.id
      `)
    expect(tasks).toEqual([
      {
        id: 't1',
        record_id: '_demo.event_kür',
        assigned_to: 'anna@crearis.example',
        cimg: 'bild.jpg',
        updated_at: 'gestern',
        status_display: 'abgeschlossen',
      },
      {
        id: 't2',
        record_id: 'berta@crearis.example',
        assigned_to: 'alle',
        cimg: null,
        updated_at: null,
        status_display: 'Idee',
      },
    ])
    const main = await crearis.query(`
        select tasks.record_id, tasks.entity_name from tasks where tasks.category = 'main' and tasks.record_type = 'event'
      `)
    expect(main).toContainEqual({ record_id: '_demo.event_kür', entity_name: 'Kür' })
  })

  test('give new rows numbers beyond those of the rows that were there', async () => {
    await crearis.query(`insert into events (xmlid) values ('neu')`)
    expect(await crearis.one(`select xmlid from events order by id desc limit 1`)).toEqual({ xmlid: 'neu' })
  })
})
