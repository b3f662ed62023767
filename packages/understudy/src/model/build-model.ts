import { baseTypeOf, type Catalog, type Column } from '../catalog/catalog.js'
import { UnderstudyError } from '../errors.js'
import { CONFIGURED, chooseIdentity, surrogateColumns, withoutKey } from './choose-identity.js'
import { type Candidate, type LeftOut, selectContentRelations } from './content-relations.js'
import { discriminatorProblems } from './discriminator.js'
import { encodingOf } from './encodings.js'
import { keepProblems } from './kept-columns.js'
import type { ContentColumn, ContentModel, ContentRelation, Field, Identity, Reference, Translation } from './model.js'
import { relationLabel, relationOf } from './model.js'
import { orderByTargets } from './order.js'
import { type FoundReference, findReferences } from './references.js'
import type { ModelSettings } from './settings.js'
import { findTranslation, type Place } from './translations.js'

export interface BuiltModel {
  readonly model: ContentModel
  readonly leftOut: readonly LeftOut[]
  /** Components of the reference graph, targets first; more than one relation in a component, or one that refers to itself, is a cycle. */
  readonly order: readonly (readonly string[])[]
  /** What is wrong with the configuration or cannot be carried over, one fact each. Empty for a usable model. */
  readonly problems: readonly string[]
}

/** As `buildModel`, and throws `MODEL_INVALID` with every problem at once. */
export function requireModel(catalog: Catalog, settings: ModelSettings): BuiltModel {
  const built = buildModel(catalog, settings)
  if (built.problems.length === 0) return built
  throw new UnderstudyError('MODEL_INVALID', 'the content model of this database has problems', {
    detail: built.problems.join('\n'),
    hint: 'Mend the configuration (relations, references, exclude), or exclude what cannot be carried over.',
  })
}

/** Decides, from the catalog and the configuration, what every relation's rows are and how they travel. Pure. */
export function buildModel(catalog: Catalog, settings: ModelSettings): BuiltModel {
  const problems: string[] = []
  const { candidates, leftOut } = selectContentRelations(catalog, settings, problems)
  const references = findReferences(catalog, candidates, settings, problems)
  const identities = chooseIdentities(catalog, candidates, references, settings, problems)
  const places = placesOf(candidates, references, identities)
  const relations = candidates.map((candidate) =>
    describeRelation(catalog, candidate, identityOf(identities, candidate), places, problems),
  )
  const order = orderByTargets(relations.map(relationLabel), referenceTargets(relations))
  const model = { relations: markLate(relations, order) }
  // What a deciding column means is looked up through identities, which only a sound model has.
  if (problems.length === 0) problems.push(...discriminatorProblems(model))
  return { model, leftOut, order, problems }
}

function placesOf(
  candidates: readonly Candidate[],
  references: ReadonlyMap<number, FoundReference[]>,
  identities: ReadonlyMap<number, Identity>,
): Map<number, Place> {
  return new Map(
    candidates.map((candidate) => {
      const { relation, settings } = candidate
      const own = references.get(relation.oid) ?? []
      const surrogate = settings.surrogate ?? surrogateOf(candidate, own, identityOf(identities, candidate))
      return [relation.oid, { relation, references: own, surrogate }]
    }),
  )
}

function identityOf(identities: ReadonlyMap<number, Identity>, { relation }: Candidate): Identity {
  const identity = identities.get(relation.oid)
  if (identity === undefined) throw new Error(`${relation.name} has no identity`)
  return identity
}

function surrogateOf(
  candidate: Candidate,
  references: readonly FoundReference[],
  identity: Identity,
): readonly string[] {
  if (identity.kind === 'origin') return identity.columns
  return surrogateColumns(candidate.relation, references, identity)
}

/**
 * An identity may contain references, but not in a circle: automatic choices give way to the origin, configured ones are a problem. What gives way
 * makes a surrogate of its key, which may be a part of other identities, so they are looked at again.
 */
function chooseIdentities(
  catalog: Catalog,
  candidates: readonly Candidate[],
  references: ReadonlyMap<number, FoundReference[]>,
  settings: ModelSettings,
  problems: string[],
): Map<number, Identity> {
  const identities = new Map<number, Identity>()
  const referencesOf = ({ relation }: Candidate) => references.get(relation.oid) ?? []
  for (const candidate of candidates) {
    const identity = chooseIdentity(candidate, referencesOf(candidate), settings, problems)
    identities.set(candidate.relation.oid, identity)
  }
  for (;;) {
    const circles = identityCircles(catalog, candidates, references, identities)
    const isConfigured = (candidate: Candidate) => identityOf(identities, candidate).reason === CONFIGURED
    const givingWay = circles
      .flat()
      .filter((each) => !isConfigured(each) && identityOf(identities, each).kind === 'key')
    for (const candidate of givingWay) {
      identities.set(candidate.relation.oid, withoutKey(candidate, referencesOf(candidate)))
    }
    if (givingWay.length > 0) continue
    for (const circle of circles.filter((each) => each.every(isConfigured))) {
      const labels = circle.map(({ label }) => label)
      problems.push(`the identities of ${labels.join(', ')} refer to each other in a circle`)
    }
    return identities
  }
}

/** Groups of relations that cannot be named without each other: the identity of each holds that of the next. */
function identityCircles(
  catalog: Catalog,
  candidates: readonly Candidate[],
  references: ReadonlyMap<number, FoundReference[]>,
  identities: ReadonlyMap<number, Identity>,
): Candidate[][] {
  const places = placesOf(candidates, references, identities)
  const targets = new Map(
    candidates.map((candidate) => {
      const place = places.get(candidate.relation.oid)
      const identity = identityOf(identities, candidate)
      return [candidate.label, place === undefined ? [] : identityTargets(catalog, places, place, identity)]
    }),
  )
  const byLabel = new Map(candidates.map((candidate) => [candidate.label, candidate]))
  const targetsOf = (label: string) => targets.get(label) ?? []
  return orderByTargets([...byLabel.keys()], targetsOf)
    .filter((component) => component.length > 1 || component.some((label) => targetsOf(label).includes(label)))
    .map((component) => component.flatMap((label) => byLabel.get(label) ?? []))
}

/**
 * The relations whose identities are parts of this one. That a column refers to rows is not enough: where an account refers to its parent by tenant
 * and number, both are plain values, and name no row.
 */
function identityTargets(
  catalog: Catalog,
  places: ReadonlyMap<number, Place>,
  place: Place,
  identity: Identity,
): string[] {
  if (identity.kind === 'origin') return []
  const isPart = (column: string) => identity.kind === 'content' || identity.columns.includes(column)
  return place.references.flatMap((reference) =>
    reference.columns.filter(isPart).flatMap((column) => {
      const translation = findTranslation(catalog, places, place, column, reference.field)
      if (translation === null || typeof translation === 'string') return []
      return translation.alternatives.map(({ target }) => relationLabel(target))
    }),
  )
}

function describeRelation(
  catalog: Catalog,
  candidate: Candidate,
  identity: Identity,
  places: ReadonlyMap<number, Place>,
  problems: string[],
): ContentRelation {
  const { relation, label } = candidate
  const place = places.get(relation.oid)
  if (place === undefined) throw new Error(`${label} was not placed`)
  const travelling = relation.columns.filter((column) => !column.isGenerated && !place.surrogate.includes(column.name))
  const keys = assignRecordKeys(travelling.map((column) => column.name))
  const columns = travelling.map((column, index) =>
    describeColumn(catalog, candidate, column, keys[index] ?? column.name, places, place, problems),
  )
  for (const name of Object.keys(candidate.settings.mask ?? {})) {
    if (!columns.some((column) => column.name === name))
      problems.push(`relations.${label}.mask.${name}: no such column travels`)
  }
  problems.push(
    ...keepProblems({ schema: relation.schema, name: relation.name, identity, columns }, candidate.settings),
  )
  return {
    schema: relation.schema,
    name: relation.name,
    identity,
    surrogate: place.surrogate,
    columns,
    references: place.references.flatMap((reference) => describeReferences(candidate, reference)),
  }
}

function describeColumn(
  catalog: Catalog,
  { label, settings }: Candidate,
  column: Column,
  key: string,
  places: ReadonlyMap<number, Place>,
  place: Place,
  problems: string[],
): ContentColumn {
  const translate = (field: string | null): Translation | undefined => {
    const translation = findTranslation(catalog, places, place, column.name, field)
    if (typeof translation !== 'string') return translation ?? undefined
    problems.push(`${label}.${field === null ? column.name : `${column.name}.${field}`}: ${translation}`)
    return undefined
  }
  const attributes = baseTypeOf(catalog, column.typeOid).attributes
  const hasReferenceInside = place.references.some((each) => each.field !== null && each.columns[0] === column.name)
  const fields: Field[] | undefined = hasReferenceInside
    ? attributes.map((attribute) => ({
        name: attribute.name,
        type: attribute.type,
        encoding: encodingOf(catalog, attribute.typeOid),
        translation: translate(attribute.name),
      }))
    : undefined
  return {
    name: column.name,
    key,
    type: column.type,
    encoding: encodingOf(catalog, column.typeOid),
    isNullable: column.isNullable,
    translation: translate(null),
    fields,
    mask: settings.mask?.[column.name],
  }
}

/** A record's keys are the columns' names; `master_id` and names with a leading `$` are reserved and get a `$` in front, a number where that is too long. */
export function assignRecordKeys(names: readonly string[]): string[] {
  const taken = new Set(names)
  return names.map((name, index) => {
    if (name !== 'master_id' && !name.startsWith('$')) return name
    let key = `$${name}`
    if (Buffer.byteLength(key) > 63) key = `$${index}`
    while (taken.has(key)) key = `$${key}`
    taken.add(key)
    return key
  })
}

function describeReferences({ relation }: Candidate, reference: FoundReference): Reference[] {
  return reference.targets.map((target) => ({
    name: reference.name,
    kind: reference.kind,
    columns: reference.columns,
    target: { schema: target.relation.schema, name: target.relation.name },
    targetColumns: target.columns,
    shape: reference.shape,
    isLate: false,
    isNullable: relation.columns.some((column) => reference.columns.includes(column.name) && column.isNullable),
  }))
}

function referenceTargets(relations: readonly ContentRelation[]): (label: string) => string[] {
  const byLabel = new Map(relations.map((relation) => [relationLabel(relation), relation]))
  return (label) =>
    (byLabel.get(label)?.references ?? [])
      .map(({ target }) => relationLabel(target))
      .filter((target) => byLabel.has(target))
}

function markLate(relations: readonly ContentRelation[], order: readonly (readonly string[])[]): ContentRelation[] {
  const component = new Map(order.flatMap((labels, index) => labels.map((label) => [label, index] as const)))
  return relations.map((relation) => ({
    ...relation,
    references: relation.references.map((reference) => ({
      ...reference,
      isLate: component.get(relationLabel(relation)) === component.get(relationLabel(reference.target)),
    })),
  }))
}

/** The relations that a relation's identity is made of, itself last; each once. */
export function identityChain(model: ContentModel, relation: ContentRelation): ContentRelation[] {
  if (relation.identity.kind !== 'key') return [relation]
  const columns = relation.identity.columns
  const targets = relation.columns
    .filter((column) => columns.includes(column.name))
    .flatMap((column) => column.translation?.alternatives ?? [])
    .map((alternative) => relationOf(model, alternative.target))
  return [...new Set([...targets.flatMap((target) => identityChain(model, target)), relation])]
}
