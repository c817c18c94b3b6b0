/** The fields in which two plain values differ, with paths that people read. */
import { compareText } from '../base/problem.js';
import { sameValue } from '../base/same-value.js';
import type { FieldChange } from './change.js';

/**
 * Differences of `after` from `before`, sorted by path. Elements of lists are matched by what names them
 * (`reviews-v2:9080`, a route's name, a port), not by place, so that an insertion is one difference; without
 * names they are matched by place while there are as many.
 */
export function diffFields(before: unknown, after: unknown, path = ''): readonly FieldChange[] {
  if (sameValue(before, after)) {
    return [];
  }
  if (isNamedList(before) && isNamedList(after)) {
    const nameOf = (name: string) => `${path}[${name}]`;
    const members = diffMembers(namedElements(before), namedElements(after), nameOf);
    // Nothing but their order differs.
    return members.length > 0 ? members : [{ path, before, after }];
  }
  if (Array.isArray(before) && Array.isArray(after) && areAlike(before, after)) {
    return before.flatMap((element, index) =>
      diffFields(element, after[index], `${path}[${index}]`),
    );
  }
  if (isPlainObject(before) && isPlainObject(after)) {
    const prefix = path === '' ? '' : `${path}.`;
    return diffMembers(before, after, (name) => `${prefix}${name}`);
  }
  return [{ path, before, after }];
}

/** True for lists of as many objects each, where an element's place is the only name that it has. */
function areAlike(before: readonly unknown[], after: readonly unknown[]): boolean {
  return before.length === after.length && [...before, ...after].every(isPlainObject);
}

function diffMembers(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  pathOf: (name: string) => string,
): readonly FieldChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(compareText);
  return names.flatMap((name) => diffFields(before[name], after[name], pathOf(name)));
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for a list whose elements have names of their own: two headers may have the same. */
function isNamedList(value: unknown): value is readonly unknown[] {
  if (!Array.isArray(value)) {
    return false;
  }
  const names = value.map(elementName);
  return !names.includes(undefined) && new Set(names).size === names.length;
}

function namedElements(list: readonly unknown[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(list.map((element) => [elementName(element) ?? '', element]));
}

function elementName(element: unknown): string | undefined {
  if (!isPlainObject(element)) {
    return undefined;
  }
  if (typeof element.virtualNode === 'string') {
    return `${element.virtualNode}:${element.port}`;
  }
  if (typeof element.address === 'string') {
    return `${element.address}:${element.port}`;
  }
  const name = element.name ?? element.virtualService ?? element.key ?? element.port;
  return name === undefined ? undefined : String(name);
}
