import type { Database } from 'understudy'
import { EXAMPLES, LINKS, readExampleQuery } from './links.js'
import { query } from './sql.js'
import type { Stage } from './stage.js'
import { formatCount } from './units.js'

interface Member {
  readonly what: string
  readonly id: string
  readonly identity: string
}

/** Compares references by plain SQL, without Understudy: three examples in full, and every link of the kinds in `LINKS`. */
export async function compareLinks({ report, master, slave }: Stage): Promise<void> {
  report.chapter('Every reference points to the right row')
  report.say('Three rows and what they refer to. The numbers differ, the identities do not:')
  const members: [Member, Member | undefined][] = []
  for (const example of EXAMPLES) {
    const [ours, theirs] = [await readExample(master, example), await readExample(slave, example)]
    for (const [index, member] of ours.entries()) members.push([member, theirs[index]])
  }
  report.table(
    [
      { title: '' },
      { title: 'number in the master' },
      { title: 'in the slave' },
      { title: 'identity in the master' },
      { title: 'in the slave' },
    ],
    members.map(([ours, theirs]) => [
      ours.what,
      ours.id,
      theirs?.id,
      ours.identity,
      ours.identity === theirs?.identity ? 'the same' : theirs?.identity,
    ]),
  )
  report.prove(
    'the identities are the same',
    members
      .filter(([ours, theirs]) => ours.identity !== theirs?.identity)
      .map(([ours]) => `${ours.what}: ${ours.identity}`),
  )
  report.prove(
    'the numbers are not',
    members.filter(([ours, theirs]) => ours.id === theirs?.id).map(([ours]) => `${ours.what}: ${ours.id} in both`),
  )
  await compareAllLinks({ report, master, slave })
}

async function compareAllLinks({ report, master, slave }: Pick<Stage, 'report' | 'master' | 'slave'>): Promise<void> {
  report.say('', 'And all of them, looked up in both databases by plain SQL:')
  const ours = await readLinks(master)
  const theirs = new Set((await readLinks(slave)).map(textOf))
  const kinds = Object.keys(LINKS).map((kind) => {
    const links = ours.filter((link) => link.kind === kind)
    return { kind, links, missing: links.filter((link) => !theirs.has(textOf(link))) }
  })
  report.table(
    [
      { title: 'reference' },
      { title: 'in the master', align: 'right' },
      { title: 'the same in the slave', align: 'right' },
    ],
    kinds.map(({ kind, links, missing }) => [kind, links.length, links.length - missing.length]),
  )
  report.prove(
    `all ${formatCount(ours.length, 'reference')} lead to the row with the same identity`,
    kinds.flatMap(({ missing }) => missing.map(textOf)),
  )
}

interface Link {
  readonly kind: string
  readonly source: string
  readonly target: string
}

function textOf({ kind, source, target }: Link): string {
  return `${kind}: ${source} → ${target}`
}

async function readLinks(database: Database): Promise<Link[]> {
  const parts = Object.entries(LINKS).map(
    ([kind, select]) => `select '${kind}' as kind, l.source, l.target from (${select}) as l (source, target)`,
  )
  return await query<Link>(database, parts.join(' union all '))
}

async function readExample(database: Database, example: (typeof EXAMPLES)[number]): Promise<Member[]> {
  return await query<Member>(database, readExampleQuery(example), [example.identity])
}
