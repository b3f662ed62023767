import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'

const BLOCK = 512

/**
 * Reads every record of an archive by relation, without its `master_id`: the row's canonical line. By the means that anybody has (gunzip, tar,
 * lines of text), so that Understudy is not its own witness.
 */
export async function readCanonicalLines(path: string): Promise<Map<string, string[]>> {
  const documents = new Map<string, string[]>()
  for (const [name, text] of tarEntries(gunzipSync(await readFile(path)))) {
    if (name === 'backup-index.json') continue
    const [head = '', ...rest] = text.trimEnd().split('\n')
    const { table } = JSON.parse(`${head}]}`) as { table: string }
    documents.set(table, rest.slice(0, -1).map(canonicalLine))
  }
  return documents
}

/** How many of the wanted lines are there; each one counts for one wanted line. */
export function countEqual(wanted: readonly string[], there: readonly string[]): number {
  const left = new Map<string, number>()
  for (const line of there) left.set(line, (left.get(line) ?? 0) + 1)
  return wanted.filter((line) => {
    const count = left.get(line) ?? 0
    left.set(line, count - 1)
    return count > 0
  }).length
}

function* tarEntries(tar: Buffer): Generator<[name: string, text: string]> {
  for (let at = 0; tar[at] !== 0 && at < tar.length; ) {
    const name = tar.toString('utf8', at, tar.indexOf(0, at))
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8)
    yield [name, tar.toString('utf8', at + BLOCK, at + BLOCK + size)]
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
}

function canonicalLine(record: string): string {
  return record.replace(/,$/, '').replace(/^\{"master_id":(?:"[^"]*"|\[[^\]]*\]|[^,"[}]+),/, '{')
}
