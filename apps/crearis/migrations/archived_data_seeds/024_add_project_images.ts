import { defineMigration } from 'understudy'

export default defineMigration({
  description: 'A title image for each project of the seeds before',
  manualOnly: true,
  async up(db) {
    await db.execute(seedImages)
    await db.execute(showImages)
  },
})

const PROJECTS = `'werkstatt_nord', 'kulissen', 'stimmraum', 'oberland', 'bergbuehne', 'loutkarna'`

const seedImages = `
  insert into images (xmlid, name, url, alt_text, project_id, owner_id, status_id, shape_wide, ctags)
  select
    domaincode || '.image.titel-1',
    'Titelbild ' || name,
    'https://bilder.example/' || domaincode || '/titel.jpg',
    'Das Titelbild von ' || name,
    id,
    owner_id,
    status_id_of('images', 'demo'),
    row(16, 9, null, 'https://bilder.example/' || domaincode || '/titel-breit.jpg', null, null, null, null)::image_shape,
    '\\x10'
  from projects
  where domaincode in (${PROJECTS})
  on conflict (xmlid) do nothing`

const showImages = `
  update projects
  set img_id = images.id
  from images
  where images.xmlid = projects.domaincode || '.image.titel-1'
    and projects.domaincode in (${PROJECTS})
    and projects.img_id is null`
