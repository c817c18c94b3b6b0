/**
 * The formats that the schemas name beside JSON Schema's own keywords. Regular expressions of the
 * user's are only ever compiled by RE2 (as Envoy does): JavaScript's engine backtracks, so one
 * expression in a mesh file could stop the controller for minutes.
 */
import { RE2JS } from 're2js';
import { parseDuration } from '../base/duration.js';
import { errorText } from '../base/op-error.js';

/** Envoy compiles each expression on each worker; App Mesh allowed 255 characters. */
export const regexLengthMax = 1024;

/**
 * What an expression may be compiled to: `headgate bootstrap` and App Mesh's own Envoys say 1000
 * instructions, and Envoy's engine takes two more than this one. It also takes several for a character
 * beyond ASCII, so an expression with many such classes may be refused by Envoy alone.
 */
const programSizeMax = 998;

/** By the name that a schema's `format` has. */
export const formats: Readonly<Record<string, (text: string) => boolean>> = {
  re2: (text) => regexFault(text) === undefined,
  hostname: isHostname,
  'dns-name': (text) => isHostname(text.replace(/\.$/, '')),
  ip: isIpAddress,
  'go-duration': (text) => parseDuration(text) !== undefined,
  'log-format': isLogFormat,
};

/**
 * Why `text` is no RE2 expression; undefined where it is one, and where it is so long that it is
 * not even tried: the schema's `maxLength` refuses that.
 */
export function regexFault(text: string): string | undefined {
  if (text.length > regexLengthMax) {
    return undefined;
  }
  try {
    const size = RE2JS.compile(text).programSize();
    return size <= programSizeMax
      ? undefined
      : `it is compiled to ${size} instructions, and Envoy's limit leaves ${programSizeMax}`;
  } catch (error) {
    return errorText(error).replace(/^error parsing regexp: /, '');
  }
}

/**
 * Envoy's command operators, `%NAME%` with `(PARAMETERS)` and `:LENGTH` where they take them, among other
 * text; `%%` is a percent sign. Which operators there are is for the Envoy of each proxy to say.
 */
function isLogFormat(text: string): boolean {
  return !text.replace(/%%|%[A-Z0-9_]+(\([^)]*\))?(:[0-9]+)?%/g, '').includes('%');
}

/** RFC 1123 labels, and underscores, which App Mesh's Kubernetes names have. */
export function isHostname(text: string): boolean {
  return (
    text.length <= 253 &&
    text.split('.').every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))
  );
}

export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

/** Four decimal numbers; one with a leading 0 is octal to some readers. */
function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return (
    parts.length === 4 &&
    parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255)
  );
}

/**
 * The URL standard's parser is the platform's own IPv6 parser; zones (`%eth0`) are no part of it.
 */
function isIpv6(text: string): boolean {
  return (
    /^[0-9A-Fa-f:.]{2,45}$/.test(text) && text.includes(':') && URL.canParse(`http://[${text}]/`)
  );
}
