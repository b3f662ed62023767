import { relative } from 'node:path'
import type { Place } from './databases.js'
import type { Report } from './report.js'

export function sayHello(report: Report, place: Place): void {
  report.title('Understudy: the demo')
  report.say(
    '',
    'Two PostgreSQL databases of one application number their rows each in their own way: the same',
    'event is row 2 here and row 33 there. Copy a row as it is, and its numbers point to the wrong rows.',
    'Understudy knows a row by what is the same everywhere (an address, a code, a name): its identity.',
    'It translates every reference on the way.',
    '',
    'You will see the content of one database, the master, go into two others, and the proof that it',
    'arrived. ✓ marks what was tested; if anything fails, the demo ends with an error.',
    '',
    place.kind === 'embedded'
      ? 'The databases are embedded: real PostgreSQL inside this process, no server needed.'
      : 'The databases are made on your server, as understudy_demo_…, and removed at the end.',
  )
}

export function sayGoodbye(report: Report, place: Place, archive: string): void {
  const file = relative('.', archive)
  report.chapter('Look for yourself')
  report.summary()
  report.say(
    '',
    'The archive is an ordinary .tar.gz with a JSON document for each table and a row on each line:',
    '',
    `  tar -tzf ${file}`,
    `  tar -xzOf ${file} events.json | sed -n 2p`,
  )
  if (place.kind === 'server') return
  const slave = relative('.', `${place.folder}/slave`)
  report.say(
    '',
    'The databases are still there as well, until the next demo. What Understudy makes of the slave:',
    '',
    `  npx -y pnpm exec understudy inspect --config apps/crearis/understudy.config.ts --database pglite:${slave}`,
  )
}
