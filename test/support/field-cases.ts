/**
 * Specimens with one value exchanged for one at the bounds of its field, or just outside of them. What is
 * at the bounds has to stay valid as a whole, so whatever else must agree with the value goes along;
 * what is outside has the one fault.
 */
import { type Field, valuesOf } from './schema-fields.js';
import type { Document, Specimen } from './specimens.js';

export type Place = readonly (string | number)[];
type Plain = Readonly<Record<string, unknown>>;

/** A specimen with one of its values exchanged. */
export interface Case {
  readonly name: string;
  /** The subject is the first. */
  readonly documents: readonly Document[];
  readonly place: Place;
  readonly value: unknown;
}

export interface Cases {
  readonly inside: readonly Case[];
  readonly outside: readonly Case[];
}

/** Of lists that refer to resources: where an item names one, and which one there is. */
const referredTo: Readonly<Record<string, readonly [Place, string]>> = {
  backends: [['virtualService', 'virtualServiceRef', 'name'], 'other.local'],
  weightedTargets: [['virtualNodeRef', 'name'], 'other'],
};

/** The first of `all` that has `field`, and where. A field that is refused altogether needs its parent. */
export function findSpecimen({ path, schema }: Field, all: readonly Specimen[]) {
  for (const specimen of all) {
    const place = placeOf(specimen.subject, path, 'not' in schema);
    if (place !== undefined) {
      return { specimen, place };
    }
  }
  return undefined;
}

/** Of each `[]` in `path` the first item that has what follows. */
function placeOf(value: unknown, path: readonly string[], isNew: boolean): Place | undefined {
  const [key, ...rest] = path;
  if (key === undefined) {
    return value === undefined ? undefined : [];
  }
  if (key === '[]') {
    for (const [index, item] of (Array.isArray(value) ? value : []).entries()) {
      const inner = placeOf(item, rest, isNew);
      if (inner !== undefined) {
        return [index, ...inner];
      }
    }
    return undefined;
  }
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  if (isNew && rest.length === 0) {
    return [key];
  }
  const inner = placeOf((value as Plain)[key], rest, isNew);
  return inner && [key, ...inner];
}

export function casesOf(
  kind: string,
  field: Field,
  { specimen, place }: { readonly specimen: Specimen; readonly place: Place },
): Cases {
  const old = valueAt(specimen.subject, place);
  const { inside, outside } = valuesOf(field, old, another(place));
  const path = field.path.join('.').replaceAll('.[]', '[]');
  const makeCase = (value: unknown, make: typeof exchange): Case => ({
    name: `${kind} ${path} = ${JSON.stringify(value)?.slice(0, 60)}`,
    documents: make(specimen, place, value),
    place,
    value,
  });
  const isShared = ['port', 'matchPort', 'gatewayPort', 'name', 'hostname'].includes(
    field.definition ?? '',
  );
  return {
    inside: inside.map((value) =>
      makeCase(value, isShared ? exchangeEverywhere : exchangeWithNeighbours),
    ),
    outside: outside.map((value) => makeCase(value, exchange)),
  };
}

export function valueAt(value: unknown, place: Place): unknown {
  return place.reduce<unknown>((inner, key) => (inner as Plain | undefined)?.[key], value);
}

function exchange({ subject, others }: Specimen, place: Place, value: unknown): Document[] {
  return [put(subject, place, value) as Document, ...others];
}

function put(into: unknown, [key, ...rest]: Place, value: unknown): unknown {
  if (key === undefined) {
    return value;
  }
  if (Array.isArray(into)) {
    return into.map((item, index) => (index === key ? put(item, rest, value) : item));
  }
  return { ...(into as Plain), [key]: put((into as Plain)[key], rest, value) };
}

/** What has the old value anywhere gets the new one: a port and who names it, a name and who refers to it. */
function exchangeEverywhere(specimen: Specimen, place: Place, value: unknown): Document[] {
  const old = valueAt(specimen.subject, place);
  const swap = (inner: unknown): unknown => {
    if (Array.isArray(inner)) {
      return inner.map(swap);
    }
    if (typeof inner === 'object' && inner !== null) {
      return Object.fromEntries(Object.entries(inner).map(([key, each]) => [key, swap(each)]));
    }
    return inner === old ? value : inner;
  };
  return [specimen.subject, ...specimen.others].map((each) => swap(each) as Document);
}

/** Where a value is bound by another one beside it, that one moves along. */
function exchangeWithNeighbours(specimen: Specimen, place: Place, value: unknown): Document[] {
  const [subject, ...others] = exchange(specimen, place, value);
  const parent = place.slice(0, -1);
  const key = place.at(-1);
  if (key === 'weight') {
    const other = [...parent.slice(0, -1), 1, 'weight'];
    return [put(subject, other, 100 - Number(value)) as Document, ...others];
  }
  if (parent.at(-1) === 'awsCloudMap' && key !== 'ipPreference') {
    const other = key === 'serviceName' ? 'namespaceName' : 'serviceName';
    return [put(subject, [...parent, other], 'a') as Document, ...others];
  }
  if (key === 'method' && value === 'CONNECT') {
    // Such a request has no path, no query and no scheme.
    const match = { method: value, prefix: '/' };
    return [put(subject, parent, match) as Document, ...others];
  }
  if (key === 'start' && value === Number.MAX_SAFE_INTEGER) {
    // No number lies between the largest one and an end above it.
    const range = { start: Number.MAX_SAFE_INTEGER - 1, end: value };
    return [put(subject, parent, range) as Document, ...others];
  }
  if (key === 'end' && value === -Number.MAX_SAFE_INTEGER) {
    const range = { start: value, end: -Number.MAX_SAFE_INTEGER + 1 };
    return [put(subject, parent, range) as Document, ...others];
  }
  if (key === 'listeners' && Array.isArray(value) && value.length === 0) {
    // What listens nowhere nobody can call.
    return [
      subject as Document,
      ...others.map((each) => put(each, ['spec', 'provider'], undefined) as Document),
    ];
  }
  return [subject as Document, ...others, ...neededBy(key, value, others)];
}

/** Further items of the list at `place`, each of which may stand beside the others. */
function another(place: Place): (item: unknown, index: number) => unknown {
  return (item, index) => {
    switch (place.at(-1)) {
      case 'listeners':
        return put(item, ['portMapping', 'port'], 20_000 + index);
      case 'endpoints':
        return put(item, ['port'], 20_000 + index);
      case 'backends':
        return { virtualService: { virtualServiceRef: { name: `backend${index}.local` } } };
      case 'routes':
        return put(item, ['name'], `another${index}`);
      case 'weightedTargets':
        return { virtualNodeRef: { name: `target${index}` }, weight: 0 };
      case 'ports':
        return 20_000 + index;
      case 'exact':
        return `peer${index}.internal`;
      case 'json':
        return { key: `key${index}`, value: 'a' };
      case 'headers':
      case 'metadata':
      case 'queryParameters':
        return { name: `another${index}` };
      default:
        return item;
    }
  };
}

/** The resources that the further items of a list refer to: copies of the one that an item refers to. */
function neededBy(key: unknown, value: unknown, others: readonly Document[]): readonly Document[] {
  const [place, original] = referredTo[String(key)] ?? [[], ''];
  const names = Array.isArray(value) ? value.map((item) => valueAt(item, place)) : [];
  const isNamed = (name: unknown) => (one: Document) => valueAt(one, ['metadata', 'name']) === name;
  const copied = others.find(isNamed(original));
  return names
    .filter((name) => copied !== undefined && !others.some(isNamed(name)))
    .map((name) => put(copied, ['metadata', 'name'], name) as Document);
}
