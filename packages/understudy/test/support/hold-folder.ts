// A second process for the tests of the folder lock: opens an embedded database, writes a row, says so, and keeps it open
// until it is killed or its standard input ends.
//
// usage: node --import jiti/register hold-folder.ts <folder>
import { openDatabase } from '../../src/database/open.js'

const database = await openDatabase(`pglite:${process.argv[2]}`)
await database.withSession(async (session) => {
  await session.script('create table if not exists held (pid integer)')
  await session.execute('insert into held values ($1::integer)', [process.pid])
})
process.stdout.write('open\n')
process.stdin.on('end', () => database.close()).resume()
