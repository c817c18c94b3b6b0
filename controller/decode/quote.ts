/**
 * How a value of the user's is shown in a message: short, on one line, without what a terminal
 * would obey or an eye would misread, and never when it looks like a secret. A key that was
 * committed by mistake must not travel on into logs, chat and commit statuses.
 */
import { redacted } from '../base/printable.js';
import { type FieldPath, renderPath } from '../mesh/document.js';

const shownLengthMax = 60;

/**
 * `value` for a message: quoted text, a number, `a list`; `[redacted]` for what may be a secret.
 */
export function quoteValue(value: unknown, fieldName = ''): string {
  if (value === null || value === undefined) {
    return 'nothing';
  }
  if (Array.isArray(value)) {
    return value.length === 0 ? 'an empty list' : 'a list';
  }
  if (typeof value === 'object') {
    return 'a mapping';
  }
  return typeof value === 'string' ? quoteText(value, fieldName) : String(value);
}

/** `text` in quotes, cut to 60 characters. */
export function quoteText(text: string, fieldName = ''): string {
  if (isSecretName(fieldName) || isSecret(text)) {
    return '[redacted]';
  }
  const shown = redacted(text.slice(0, shownLengthMax * 2)).slice(0, shownLengthMax);
  const cut = text.length > shownLengthMax ? '…' : '';
  return JSON.stringify(`${shown}${cut}`).replace(unseen, escapeUnit);
}

/** Name of a field or a resource, as it stands if it is a plain word. */
export function quoteName(name: string): string {
  return /^[A-Za-z0-9_.-]{1,60}$/.test(name) && !isSecret(name) ? name : quoteText(name);
}

/** `path` with each name in it cut and, where it may be a secret, left out. */
export function quotePath(path: FieldPath): string {
  return renderPath(path.map((part) => (typeof part === 'number' ? part : shownPart(part))));
}

function shownPart(name: string): string {
  return isSecret(name) || redacted(name) !== name ? '[redacted]' : name.slice(0, shownLengthMax);
}

/** Where the field itself says what it holds. `secretName` and the like hold names. */
function isSecretName(fieldName: string): boolean {
  return (
    /passw(or)?d|secret|token|credential|(api|private|access)_?key/i.test(fieldName) &&
    !/(name|path|file)$/i.test(fieldName)
  );
}

function isSecret(text: string): boolean {
  return secrets.some((secret) => secret.test(text));
}

/** Keys and tokens whose makers gave them a form to be found by. */
const secrets: readonly RegExp[] = [
  /-----BEGIN/,
  /\b(AKIA|ASIA)[0-9A-Z]{16}\b/,
  /\b(gh[pousr]_|github_pat_|glpat-|sk-|xox[a-z]-)[A-Za-z0-9_-]{10}/,
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+/,
  /\b(bearer|basic)\s+[A-Za-z0-9+/_=-]{8}/i,
  // Base64 and hexadecimal of 32 bytes and more, without a dash or dot as names have.
  /(?<![A-Za-z0-9+/])(?=[A-Za-z+/]*[0-9])(?=[0-9+/]*[A-Za-z])[A-Za-z0-9+/]{43,}/,
];

/**
 * C1 controls, zero-width characters and marks that reorder text; C0 is escaped by JSON already.
 */
const unseen = /[\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
