/** How the text of one setting becomes its value; each says what it would have taken instead. */
import { parseDuration } from '../base/duration.js';
import { type HostPort, parseHostPort } from '../base/socket-address.js';

/** The value, or what is allowed in its place, in words that follow "expected". */
export type Parsed<T> = { readonly value: T } | { readonly allowed: string };

/** What it may be is known to the one who uses it; a leading dash would make it an option there. */
export function plainText(text: string): Parsed<string> {
  return /^[^-\s]/.test(text) ? { value: text } : { allowed: 'text that does not begin with -' };
}

/** It is part of proxies' ids, which are parts of URLs. */
export function replicaName(text: string): Parsed<string> {
  return /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(text)
    ? { value: text }
    : { allowed: 'letters, digits, dots and dashes, at most 63' };
}

/** Milliseconds from `min` to `max`, both in Go's syntax. */
export function duration(min: string, max: string): (text: string) => Parsed<number> {
  const minMs = parseDuration(min) ?? 0;
  const maxMs = parseDuration(max) ?? Number.POSITIVE_INFINITY;
  return (text) => {
    const valueMs = parseDuration(text);
    return valueMs !== undefined && valueMs >= minMs && valueMs <= maxMs
      ? { value: valueMs }
      : { allowed: `a duration from ${min} to ${max}, as 5s or 1m30s` };
  };
}

export function hostPort(text: string): Parsed<HostPort> {
  const value = parseHostPort(text);
  return value === undefined
    ? { allowed: 'HOST:PORT, as 127.0.0.1:8080 or [::1]:8080' }
    : { value };
}

export function onOff(text: string): Parsed<boolean> {
  const value = { true: true, '1': true, false: false, '0': false }[text];
  return value === undefined ? { allowed: 'true or false' } : { value };
}

export function oneOf<T extends string>(allowed: readonly T[]): (text: string) => Parsed<T> {
  return (text) => {
    const value = allowed.find((candidate) => candidate === text);
    return value === undefined ? { allowed: `one of ${allowed.join(', ')}` } : { value };
  };
}

/** Names with commas between them. */
export function nameList(text: string): Parsed<readonly string[]> {
  const names = text.split(',').map((name) => name.trim());
  return names.every((name) => /^[^\s-]\S*$/.test(name))
    ? { value: names }
    : { allowed: 'names with commas between them, as platform,ann@example.com' };
}

/** An http or https URL without a password; a slash at its end is left out. */
export function httpUrl(text: string): Parsed<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    `${url.username}${url.password}` === ''
    ? { value: text.replace(/\/+$/, '') }
    : { allowed: 'an http or https URL without a password, as https://headgate.example.com' };
}
