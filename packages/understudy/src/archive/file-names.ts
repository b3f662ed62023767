import { createHash } from 'node:crypto'
import { UnderstudyError } from '../errors.js'
import type { RelationName } from '../model/model.js'

const PLAIN = /^[a-z_][a-z0-9_]*$/
const SAFE = /^[a-z0-9_][a-z0-9_.-]*\.json$/
/** Windows knows these as devices, whatever follows the first dot. */
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])$/
/** A tar header holds 100 bytes; `./` in front is what `tar` writes when somebody packs the files again. */
const MAX_NAME_BYTES = 98

/**
 * The file names of relations, in their order, for one archive: `orders.json` for a plain lower-case table of `public`, `sales.orders.json`
 * for one of another schema, and a readable rest with a hash for any other name. ASCII, lower case, no folders, at most 98 bytes;
 * a relation's name depends on nothing but itself, so that it stays the same from archive to archive.
 *
 * @throws UnderstudyError `ARCHIVE_ENTRY_REFUSED` where two relations would share a file
 */
export function assignFileNames(relations: readonly RelationName[]): string[] {
  const owners = new Map<string, RelationName>()
  return relations.map((relation) => {
    const file = fileNameOf(relation)
    const owner = owners.get(file)
    if (owner !== undefined) {
      throw new UnderstudyError('ARCHIVE_ENTRY_REFUSED', `two relations would share the file ${file}`, {
        detail: `${owner.schema}.${owner.name}\n${relation.schema}.${relation.name}`,
        hint: 'Rename one of the relations.',
      })
    }
    owners.set(file, relation)
    return file
  })
}

/** The file name of one relation. */
export function fileNameOf({ schema, name }: RelationName): string {
  if (PLAIN.test(schema) && PLAIN.test(name)) {
    const stem = schema === 'public' ? name : `${schema}.${name}`
    const file = `${stem}.json`
    if (!DEVICE.test(schema === 'public' ? name : schema) && file.length <= MAX_NAME_BYTES) return file
  }
  return hashedName(schema, name)
}

/** True for a name that may stand in an index: what `assignFileNames` could have made, by any version. */
export function isSafeFileName(file: string): boolean {
  return file.length <= MAX_NAME_BYTES && SAFE.test(file) && !DEVICE.test(file.slice(0, file.indexOf('.')))
}

/** A dash never stands in a plain name, so the two kinds cannot meet. 48 bits tell apart the few names that read alike. */
function hashedName(schema: string, name: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([schema, name]))
    .digest('hex')
    .slice(0, 12)
  const parts = schema === 'public' ? [name] : [schema, name]
  const readable = parts.map((part) => readablePart(part).slice(0, 36) || 'relation').join('-')
  return `${readable}-${hash}.json`
}

function readablePart(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '')
}
