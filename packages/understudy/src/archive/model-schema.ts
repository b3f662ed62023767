import { z } from 'zod'
import type { Alternative, ContentModel, Encoding, Identity, Translation } from '../model/model.js'

const name = z.string().min(1)
const relationName = z.object({ schema: name, name })

const identity: z.ZodType<Identity> = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('key'), columns: z.array(name), reason: z.string() }),
  z.looseObject({ kind: z.literal('origin'), columns: z.array(name), reason: z.string() }),
  z.looseObject({ kind: z.literal('content'), owner: name.nullable(), reason: z.string() }),
])

const encoding: z.ZodType<Encoding> = z.enum(['json', 'array', 'jsonb', 'text', 'output', 'document', 'money'])
const shape: z.ZodType<Translation['shape']> = z.enum(['value', 'array', 'jsonb array'])

const alternative: z.ZodType<Alternative> = z.looseObject({
  when: z.string().nullable(),
  target: relationName,
  targetColumn: name,
  isTextual: z.boolean(),
  join: z.array(z.object({ column: name, targetColumn: name })),
})

const translation: z.ZodType<Translation> = z.looseObject({
  shape,
  discriminator: name.nullable(),
  alternatives: z.array(alternative),
  onDangling: z.enum(['fail', 'null']),
  none: z.array(z.string()).optional(),
})

const field = z.looseObject({ name, type: name, encoding, translation: translation.optional() })

const column = z.looseObject({
  name,
  key: name,
  type: name,
  encoding,
  isNullable: z.boolean(),
  translation: translation.optional(),
  fields: z.array(field).optional(),
  mask: z.string().optional(),
})

const reference = z.looseObject({
  name,
  kind: z.enum(['foreign key', 'declared']),
  columns: z.array(name),
  target: relationName,
  targetColumns: z.array(name),
  shape,
  isLate: z.boolean(),
  isNullable: z.boolean(),
})

/**
 * The content model as an index carries it. Objects are loose: a field that a later version adds is kept and passed on, and the compiler
 * holds the rest to `model.ts`.
 */
export const modelSchema: z.ZodType<ContentModel> = z.looseObject({
  relations: z.array(
    z.looseObject({
      schema: name,
      name,
      identity,
      surrogate: z.array(name),
      columns: z.array(column),
      references: z.array(reference),
    }),
  ),
})
