/** Where a secret stands, as settings say it: the text itself is in no setting, flag or process list. */
import type { ReportKey, Section } from './keys.js';

/** `readSecret` reads it, once, at the start. */
export type SecretSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'environment'; readonly variable: string };

/** A URL that may be a secret itself, and then stands where secrets stand. */
export type UrlSource = SecretSource | { readonly kind: 'text'; readonly text: string };

/** `<what>File` or `<what>Env` of `section`; undefined where neither is given. */
export function readSecretSource(
  path: string,
  section: Section,
  what: 'url' | 'secret' | 'token' | 'password',
  report: ReportKey,
): SecretSource | undefined {
  const file = section[`${what}File`];
  const variable = section[`${what}Env`];
  for (const [key, value] of Object.entries({ [`${what}File`]: file, [`${what}Env`]: variable })) {
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      report(`${path}.${key}`, 'is no text');
    }
  }
  if (file !== undefined && variable !== undefined) {
    report(path, `has both ${what}File and ${what}Env; one is enough`);
  }
  if (typeof file === 'string' && file !== '') {
    return { kind: 'file', path: file };
  }
  return typeof variable === 'string' && variable !== ''
    ? { kind: 'environment', variable }
    : undefined;
}

/** As `readSecretSource`, reported where it is missing. */
export function requireSecretSource(
  path: string,
  section: Section,
  what: 'url' | 'secret' | 'token' | 'password',
  report: ReportKey,
): SecretSource | undefined {
  const source = readSecretSource(path, section, what, report);
  if (source === undefined) {
    report(path, `has no ${what}File and no ${what}Env; one of them says where the ${what} stands`);
  }
  return source;
}

/** `url` in plain text, or from where secrets stand. */
export function readUrlSource(
  path: string,
  section: Section,
  report: ReportKey,
): UrlSource | undefined {
  if (section.url === undefined) {
    const source = readSecretSource(path, section, 'url', report);
    if (source === undefined) {
      report(path, 'has no url, no urlFile and no urlEnv');
    }
    return source;
  }
  const text = readPlainUrl(`${path}.url`, section.url, report);
  return text === undefined ? undefined : { kind: 'text', text };
}

/** An http or https URL that everybody may read. */
export function readPlainUrl(path: string, value: unknown, report: ReportKey): string | undefined {
  const url = typeof value === 'string' && URL.canParse(value) ? value : '';
  if (!/^https?:/.test(url) || new URL(url).password !== '' || new URL(url).username !== '') {
    report(path, 'is no http or https URL without a password; for a secret one use urlFile');
    return undefined;
  }
  return url;
}
