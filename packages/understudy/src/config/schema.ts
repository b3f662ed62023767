import { z } from 'zod'
import type { ReferenceConfig, UnderstudyConfig } from './define-config.js'

const name = z.string().min(1, 'expected a name, found an empty text')
const names = z.array(name).min(1, 'expected at least one name')
const triggers = z.enum(['suspend', 'fire'])

const relation = z
  .strictObject({
    identity: z
      .union([names, z.enum(['origin', 'content'])], 'expected a list of columns, "origin" or "content"')
      .optional(),
    owner: name.nullable().optional(),
    surrogate: z.array(name).optional(),
    mask: z.record(name, z.string().min(1, "expected an SQL expression, such as `''`")).optional(),
    keep: names.optional(),
    triggers: triggers.optional(),
    exclude: z.boolean().optional(),
    placeholder: z.record(name, z.unknown()).optional(),
    copies: z.record(name, z.string().min(1, 'expected an SQL expression')).optional(),
  })
  .refine(({ identity, owner }) => owner === undefined || identity === undefined || identity === 'content', {
    path: ['owner'],
    message: 'an owner goes with the identity "content" only',
  })

const target = z.string().regex(/^[^.]+(\.[^.]+){1,2}$/, 'expected `table.column` or `schema.table.column`')

const none = z.union([z.string(), z.int()])

const reference = z.strictObject({
  to: z.union([target, z.record(z.string(), target)], 'expected `table.column`, or with `by` one for each value'),
  by: name.optional(),
  onDangling: z.enum(['fail', 'null']).optional(),
  none: z
    .union([none, z.array(none).min(1)], 'expected the value that stands for no row, or a list of such values')
    .optional(),
})

/** One object and a rule, not a union: a union reports neither the unknown key nor the place. */
const pairedReference = reference
  .superRefine(({ to, by }, context) => {
    if (typeof to === 'string' && by !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['to'],
        message: 'expected a target for each value of the column in `by`',
      })
    if (typeof to !== 'string' && by === undefined)
      context.addIssue({ code: 'custom', path: ['by'], message: 'expected the column that chooses among the targets' })
  })
  .transform((value) => value as ReferenceConfig)

/** No union here either. */
const referenceOrNone = z.custom<ReferenceConfig | false>().superRefine((value, context) => {
  const { error } = value === false ? {} : pairedReference.safeParse(value)
  for (const issue of error?.issues ?? []) context.addIssue({ ...issue })
})

const number = z.int().min(0)

const migrationPackage = z
  .strictObject({ title: z.string(), from: number, to: number.optional() })
  .refine(({ from, to }) => to === undefined || from <= to, { path: ['to'], message: 'the range is reversed' })

const mirror = z.strictObject({
  table: z.string().regex(/^[^.]+(\.[^.]+)?$/, 'expected `table` or `schema.table`'),
  column: name,
  key: name,
})

const migrations = z.strictObject({
  folder: name.optional(),
  archived: name.optional(),
  mirror: mirror.optional(),
  packages: z.record(name, migrationPackage).optional(),
  backup: z.boolean().optional(),
})

const modes = z.array(z.enum(['init', 'replace'])).min(1, 'expected at least one mode')
const seeds = z.array(z.union([name, z.strictObject({ file: name, modes })], 'expected a file, or `{ file, modes }`'))

const dataPackage = z.strictObject({
  title: z.string(),
  relations: names.optional(),
  seeds: seeds.optional(),
  after: seeds.optional(),
  assignments: z.boolean().optional(),
  validation: z.boolean().optional(),
  modes: modes.optional(),
})

export const configSchema = z.strictObject({
  database: z.string().optional(),
  archives: name.optional(),
  schemas: names.optional(),
  environment: z.enum(['development', 'safe', 'production']).optional(),
  identityColumns: z.array(name).optional(),
  exclude: z.array(name).optional(),
  relations: z.record(name, relation).optional(),
  references: z
    .record(z.string().regex(/^[^.]+(\.[^.]+)+$/, 'expected `table.column` or `table.column.field`'), referenceOrNone)
    .optional(),
  triggers: triggers.optional(),
  onMissing: z.enum(['fail', 'null', 'skip', 'placeholder']).optional(),
  refresh: z.array(name).optional(),
  migrations: migrations.optional(),
  dataPackages: z.record(name, dataPackage).optional(),
  checks: name.optional(),
}) satisfies z.ZodType<UnderstudyConfig>

/** The keys that may stand at a place in the configuration. */
export function knownKeysAt(path: readonly PropertyKey[]): readonly string[] {
  const [section, , entry] = path
  if (path.length === 0) return Object.keys(configSchema.shape)
  if (section === 'relations' && path.length === 2) return Object.keys(relation.shape)
  if (section === 'references' && path.length === 2) return Object.keys(reference.shape)
  if (section === 'dataPackages' && path.length === 2) return Object.keys(dataPackage.shape)
  if (section === 'migrations' && path.length === 1) return Object.keys(migrations.shape)
  if (section === 'migrations' && path[1] === 'mirror') return Object.keys(mirror.shape)
  if (section === 'migrations' && entry !== undefined) return Object.keys(migrationPackage.shape)
  return []
}
