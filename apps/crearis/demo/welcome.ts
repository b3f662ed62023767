import { relative } from 'node:path'
import type { Place } from './databases.js'
import type { Report } from './report.js'

export function sayHello(report: Report, place: Place): void {
  report.title('Understudy: the demo')
  report.say(
    '',
    'Two PostgreSQL databases of the same application number their rows each in their own way: the same event is row 2',
    'here and row 33 there. Copy a row with its numbers and it points to the wrong rows. Understudy recognises a row by what',
    'is the same everywhere (an address, a code, a name), its identity, and translates every reference.',
    '',
    'You will see the content of one database, the master, go into two others, and what proves that it arrived.',
    place.kind === 'embedded'
      ? 'The databases are embedded ones: real PostgreSQL, inside this process. No server is needed.'
      : 'The databases are made on your server (understudy_demo_…) and removed at the end.',
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
