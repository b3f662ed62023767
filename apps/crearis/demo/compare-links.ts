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
export async function compareLinks(stage: Stage): Promise<void> {
  const { report, master, slave } = stage
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
      { title: 'no. in master' },
      { title: 'no. in slave' },
      { title: 'identity in master' },
      { title: 'in slave' },
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
    'the identities are equal',
    members
      .filter(([ours, theirs]) => ours.identity !== theirs?.identity)
      .map(([ours]) => `${ours.what}: ${ours.identity}`),
  )
  report.prove(
    'the numbers differ',
    members.filter(([ours, theirs]) => ours.id === theirs?.id).map(([ours]) => `${ours.what}: ${ours.id} in both`),
  )
  await compareAllLinks(stage)
}

async function compareAllLinks({ report, master, empty, slave }: Stage): Promise<void> {
  report.say('', 'And all of them, looked up by plain SQL in the three databases:')
  const links = await readLinks(master)
  const [inCopy, inSlave] = [
    new Set((await readLinks(empty)).map(textOf)),
    new Set((await readLinks(slave)).map(textOf)),
  ]
  const kinds = Object.keys(LINKS).map((kind) => links.filter((link) => link.kind === kind))
  const countIn = (there: ReadonlySet<string>, ours: readonly Link[]) =>
    ours.filter((link) => there.has(textOf(link))).length
  report.table(
    [
      { title: 'reference' },
      { title: 'in master', align: 'right' },
      { title: 'same in copy', align: 'right' },
      { title: 'same in slave', align: 'right' },
    ],
    kinds.map((ours) => [ours[0]?.kind, ours.length, countIn(inCopy, ours), countIn(inSlave, ours)]),
  )
  report.prove(
    `all ${formatCount(links.length, 'reference')} lead to the row with the same identity, in both`,
    links.map(textOf).filter((text) => !inCopy.has(text) || !inSlave.has(text)),
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
