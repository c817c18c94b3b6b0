/**
 * What a YAML scalar means: YAML 1.2's core schema (10.3), narrowed to what JSON can hold and to
 * what every reader takes for the same. A number that JavaScript would round, and `010`, which is
 * ten to one reader and eight to the next, are faults rather than guesses.
 */
import {
  boolCoreTag,
  CORE_SCHEMA,
  floatCoreTag,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  type ScalarTagDefinition,
} from 'js-yaml';

export type ScalarValue = string | number | boolean | null;

export type ScalarResult =
  | { readonly kind: 'value'; readonly value: ScalarValue }
  | { readonly kind: 'fault'; readonly code: 'HG0208' | 'HG0209'; readonly message: string };

const tags: ReadonlyMap<string, ScalarTagDefinition> = new Map<string, ScalarTagDefinition>([
  ['!!int', intCoreTag],
  ['!!float', floatCoreTag],
  ['!!bool', boolCoreTag],
  ['!!null', nullCoreTag],
]);

/** The meaning of `text` as it stands after quotes and folds are taken away. */
export function scalarValue(scalar: {
  readonly text: string;
  /** False for quoted and block scalars, which are text whatever they look like. */
  readonly isPlain: boolean;
  readonly tag: string | undefined;
}): ScalarResult {
  const { text, isPlain, tag } = scalar;
  if (tag === undefined) {
    const value = isPlain ? CORE_SCHEMA.resolveImplicitScalarTag(text).value : text;
    return checkNumber(value as ScalarValue, text);
  }
  if (tag === '!' || tag === '!!str') {
    return { kind: 'value', value: text };
  }
  const resolved = tags.get(tag)?.resolve(text, true, tag);
  if (resolved === undefined) {
    return { kind: 'fault', code: 'HG0208', message: unknownTag(tag) };
  }
  if (resolved === NOT_RESOLVED) {
    const found = JSON.stringify(text.slice(0, 60));
    const message = `${found} is no ${tag}; remove the tag or write such a value`;
    return { kind: 'fault', code: 'HG0208', message };
  }
  return checkNumber(resolved as ScalarValue, text);
}

export function unknownTag(tag: string): string {
  return `the tag ${tag.slice(0, 60)} is not known; a mesh needs no tags, so remove it`;
}

function checkNumber(value: ScalarValue, text: string): ScalarResult {
  const message = typeof value === 'number' ? findNumberFault(value, text) : undefined;
  return message === undefined
    ? { kind: 'value', value }
    : { kind: 'fault', code: 'HG0209', message };
}

function findNumberFault(value: number, text: string): string | undefined {
  const shown = text.slice(0, 40);
  if (!Number.isFinite(value)) {
    return (
      `${shown} is no number that a mesh can hold; write a finite one, or quote it if it is ` +
      'text'
    );
  }
  if (/^[-+]?0[0-9]+$/.test(text)) {
    return (
      `${shown} is ${value} in YAML 1.2 and octal in YAML 1.1; remove the leading 0, or quote ` +
      'it if it is text'
    );
  }
  if (/^[-+]?(?:[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/.test(text) && !Number.isSafeInteger(value)) {
    return (
      `${shown} has more digits than a number can keep (at most ${Number.MAX_SAFE_INTEGER}); ` +
      'quote it if it is text'
    );
  }
  return undefined;
}
