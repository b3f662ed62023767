// Makes an embedded database without its template databases: a third of the files, so that a test's copy is quick.
// A process of its own, because making one takes 800 MB of memory.
//
// usage: node make-pglite-template.mjs <folder>
import { PGlite } from '@electric-sql/pglite'

const pglite = await PGlite.create(process.argv[2], { initDbStartParams: ['--wal-segsize=1'] })
await pglite.exec('update pg_catalog.pg_database set datistemplate = false')
await pglite.exec('drop database template0')
await pglite.exec('drop database template1')
await pglite.exec('checkpoint')
await pglite.close()
