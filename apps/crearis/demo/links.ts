/** By kind, a select of the identities at both ends of a reference: foreign keys, numbers in arrays and composites, names in text columns. */
export const LINKS: Readonly<Record<string, string>> = {
  'event → project': 'select s.xmlid, t.domaincode from events s join projects t on t.id = s.project_id',
  'event → instructor': 'select s.xmlid, t.xmlid from events s join instructors t on t.id = s.public_user',
  'event → location': 'select s.xmlid, t.xmlid from events s join locations t on t.id = s.location',
  'event → status': `select s.xmlid, t."table" || ' ' || t.name from events s join status t on t.id = s.status_id`,
  'event → tags (array)': `
    select s.xmlid, e.position || ' ' || t.name
      from events s
      cross join unnest(s.tags_ids) with ordinality as e (id, position)
      join tags t on t.id = e.id`,
  'event → address (text)': 'select s.xmlid, t.xmlid from events s join locations t on t.xmlid = s.address_id',
  'post → image': 'select s.xmlid, t.xmlid from posts s join images t on t.id = s.img_id',
  'user → instructor': 'select s.sysmail, t.xmlid from users s join instructors t on t.id = s.instructor_id',
  'user → participant': 'select s.sysmail, t.xmlid from users s join participants t on t.id = s.participant_id',
  'user → image': 'select s.sysmail, t.xmlid from users s join images t on t.id = s.img_id',
  'image → project': 'select s.xmlid, t.domaincode from images s join projects t on t.id = s.project_id',
  'image → parent (composite)':
    'select s.xmlid, t.xmlid from images s join images t on t.id = (s.variations).parent_id',
  'project → owner': 'select s.domaincode, t.sysmail from projects s join users t on t.id = s.owner_id',
  'project → region': 'select s.domaincode, t.domaincode from projects s join projects t on t.id = s.regio',
  'project → domain': 'select s.domaincode, t.domainname from projects s join domains t on t.id = s.domain_id',
  'project → members (jsonb)': `
    select s.domaincode, e.position || ' ' || t.sysmail
      from projects s
      cross join jsonb_array_elements_text(s.member_ids) with ordinality as e (id, position)
      join users t on t.id = e.id::integer`,
  'project ↔ user': `
    select t.domaincode, u.sysmail || ' as ' || s.role
      from project_members s
      join projects t on t.id = s.project_id
      join users u on u.id = s.user_id`,
  'section → page → project': `
    select s.type || ' ' || s.created_at, p.page_type || ' of ' || t.domaincode
      from page_sections s
      join pages p on p.id = s.page
      join projects t on t.id = p.project_id`,
}

interface Example {
  readonly identity: string
  /** Selects of number and identity by what they are; `$1` is the example's own identity. */
  readonly members: Readonly<Record<string, string>>
}

/** A row with plain references and an array, one of a circle (user, image, project, user), and one with numbers inside a composite. */
export const EXAMPLES: readonly Example[] = [
  {
    identity: '_demo.event_masken_bauen',
    members: {
      'an event': 'select id::text, xmlid from events where xmlid = $1',
      '  its project':
        'select t.id::text, t.domaincode from events s join projects t on t.id = s.project_id where s.xmlid = $1',
      '  its instructor':
        'select t.id::text, t.xmlid from events s join instructors t on t.id = s.public_user where s.xmlid = $1',
      '  its location':
        'select t.id::text, t.xmlid from events s join locations t on t.id = s.location where s.xmlid = $1',
      '  its tags': `
        select array_to_string(s.tags_ids, ', '), string_agg(t.name, ', ' order by array_position(s.tags_ids, t.id))
          from events s join tags t on t.id = any (s.tags_ids)
         where s.xmlid = $1 group by s.id`,
    },
  },
  {
    identity: 'soenke.uenal@crearis.example',
    members: {
      'a user': 'select id::text, sysmail from users where sysmail = $1',
      '  their instructor':
        'select t.id::text, t.xmlid from users s join instructors t on t.id = s.instructor_id where s.sysmail = $1',
      '  their image': 'select t.id::text, t.xmlid from users s join images t on t.id = s.img_id where s.sysmail = $1',
    },
  },
  {
    identity: 'zweite_probe.image.titel-1',
    members: {
      'an image': 'select id::text, xmlid from images where xmlid = $1',
      '  its parent':
        'select t.id::text, t.xmlid from images s join images t on t.id = (s.variations).parent_id where s.xmlid = $1',
      '  its project':
        'select t.id::text, t.domaincode from images s join projects t on t.id = s.project_id where s.xmlid = $1',
    },
  },
]

export function readExampleQuery({ members }: Example): string {
  const parts = Object.entries(members).map(
    ([what, select], index) =>
      `select ${index} as place, '${what}' as what, m.id, m.identity from (${select}) as m (id, identity)`,
  )
  return `select what, id, identity from (${parts.join(' union all ')}) as example order by place`
}
