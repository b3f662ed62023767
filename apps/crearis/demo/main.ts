/**
 * The demo: `pnpm demo`. Brings the content of one database into two others and proves that it arrived. Uses embedded databases in
 * data/demo, or, where DATABASE_URL says `postgres://…`, databases that it makes on that server and removes at the end.
 */
import { basename, join } from 'node:path'
import { bringInto } from './bring-into.js'
import { compareLinks } from './compare-links.js'
import { choosePlace, withDatabases } from './databases.js'
import { describeFailure } from './describe-failure.js'
import { exportMaster } from './export-master.js'
import { fillEmpty } from './fill-empty.js'
import { importAgain } from './import-again.js'
import { moveOneChange } from './move-one-change.js'
import { prepareContent } from './prepare-content.js'
import { Report } from './report.js'
import { sayGoodbye, sayHello } from './welcome.js'

const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())
process.once('SIGTERM', () => interrupted.abort())
// Whoever reads has gone: databases on a server must still be removed.
process.stdout.on('error', () => interrupted.abort())

const report = new Report(process.stdout)
try {
  await runDemo()
} catch (error) {
  report.failure(interrupted.signal.aborted ? ['interrupted'] : describeFailure(error))
}
// The exit code is set, not exited with: what is still on its way to a pipe arrives.
process.exitCode = report.isProven ? 0 : 1

async function runDemo(): Promise<void> {
  const place = choosePlace(process.env.DATABASE_URL)
  sayHello(report, place)
  report.chapter('Three databases')
  report.say('All three get the tables of a small application: users, projects, events, pages, images …', '')
  const archive = await withDatabases(place, report, async (made) => {
    const stage = { ...made, report, signal: interrupted.signal }
    const tables = await prepareContent(stage)
    const first = await exportMaster(stage)
    await fillEmpty(stage, first)
    await bringInto(stage, first)
    await compareLinks(stage)
    await importAgain(stage, tables, first)
    await moveOneChange(stage, tables)
    return basename(first.path)
  })
  sayGoodbye(report, place, join(place.folder, archive))
}
