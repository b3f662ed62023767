// What a page needs of PostgreSQL's own programs, for machines that do not have them: `psql [-q] <url> -f file… -c command…` and
// `createdb [--template name] name`. Where the server is, is in PGHOST and its like.
import { readFileSync } from 'node:fs'
import pg from 'pg'

const [tool, ...words] = process.argv.slice(2)

async function withClient(options, use) {
  const client = new pg.Client(options)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

function print({ fields = [], rows = [] }) {
  for (const row of rows) console.log(fields.map(({ name }) => row[name] ?? '').join('|'))
}

const tools = {
  async createdb() {
    const name = words.at(-1)
    const template = words[0] === '--template' ? ` template "${words[1]}"` : ''
    await withClient({ database: 'postgres' }, (client) => client.query(`create database "${name}"${template}`))
  },
  async psql() {
    const url = words.find((word) => word.startsWith('postgres:'))
    await withClient({ connectionString: url }, async (client) => {
      for (const [at, word] of words.entries()) {
        if (word === '-f') await client.query(readFileSync(words[at + 1], 'utf8'))
        if (word === '-c') print(await client.query(words[at + 1]))
      }
    })
  },
}

await tools[tool]()
