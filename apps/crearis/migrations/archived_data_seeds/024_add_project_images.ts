import { defineMigration } from 'understudy'

export default defineMigration({
  description: 'The title images of the projects, from the addresses that the CSV files give',
  manualOnly: true,
  async up(db) {
    await db.execute(seedImages)
    await db.execute(showImages)
  },
})

const seedImages = `
  insert into images (xmlid, name, url, alt_text, project_id, owner_id, status_id, shape_wide, ctags)
  select
    domaincode || '.image.titel-1',
    'Titelbild ' || name,
    cimg,
    'Das Titelbild von ' || name,
    id,
    owner_id,
    status_id_of('images', 'demo'),
    row(16, 9, null, cimg, null, null, null, null)::image_shape,
    '\\x10'
  from projects
  where cimg like 'https://bilder.example/%'
  on conflict (xmlid) do nothing`

const showImages = `
  update projects
  set img_id = images.id
  from images
  where images.xmlid = projects.domaincode || '.image.titel-1'
    and projects.img_id is null`
