/**
 * The config file's `providers`: whom gates may ask. The mesh repository names them and can ask only below
 * their URLs, so whoever may write to it cannot make the controller call anything else.
 */
import { isSection, type ReportKey, reportUnknownKeys, type Section } from './keys.js';
import { readSecretSource, type SecretSource } from './secret-source.js';
import { duration } from './values.js';

export const providerKinds = ['prometheus', 'http', 'grpc'] as const;

export interface ProviderSettings {
  /** Unique among all providers. */
  readonly name: string;
  readonly kind: (typeof providerKinds)[number];
  /** http or https, for gRPC grpc (plain text) or grpcs; without credentials. */
  readonly url: string;
  readonly credentials?: ProviderCredentials;
  /** Sent with each request, as a tenant's `X-Scope-OrgID`; no secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** Certificate authorities, instead of Node's own. */
  readonly caFile?: string;
  /** From the look-up of the name to the end of the answer. */
  readonly timeoutMs: number;
}

export type ProviderCredentials =
  | { readonly kind: 'bearer'; readonly token: SecretSource }
  | { readonly kind: 'basic'; readonly username: string; readonly password: SecretSource };

/** Labels of metrics, and as gates name them. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const schemes: Readonly<Record<ProviderSettings['kind'], readonly string[]>> = {
  prometheus: ['http:', 'https:'],
  http: ['http:', 'https:'],
  grpc: ['grpc:', 'grpcs:'],
};

/** An instant query that takes longer is too heavy to be asked every few seconds. */
const defaultTimeout = '5s';
const timeoutIn = duration('100ms', '10m');

const keys = [
  ...['name', 'kind', 'url', 'tokenFile', 'tokenEnv', 'username', 'passwordFile', 'passwordEnv'],
  ...['headers', 'caFile', 'timeout'],
];

/** The providers in `value`; those that cannot be used are reported and left out. */
export function readProviders(value: unknown, report: ReportKey): readonly ProviderSettings[] {
  if (value === undefined || value === null) {
    return [];
  }
  if (!Array.isArray(value)) {
    report('providers', 'is no list');
    return [];
  }
  const providers = value.flatMap((one: unknown, index) => {
    const path = `providers[${index}]`;
    if (isSection(one)) {
      return readProvider(path, one, report) ?? [];
    }
    report(path, 'is no mapping');
    return [];
  });
  const names = providers.map(({ name }) => name);
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index))) {
    report('providers', `has two called ${name}; give each a name of its own`);
  }
  return providers;
}

function readProvider(
  path: string,
  section: Section,
  report: ReportKey,
): ProviderSettings | undefined {
  reportUnknownKeys(path, section, keys, report);
  const { name } = section;
  const kind = providerKinds.find((one) => one === section.kind);
  if (kind === undefined) {
    report(`${path}.kind`, `is none of ${providerKinds.join(', ')}`);
  }
  const hasName = typeof name === 'string' && namePattern.test(name);
  if (!hasName) {
    report(`${path}.name`, 'is missing or no name of letters, digits, dots, dashes');
  }
  const url = kind === undefined ? undefined : readUrl(path, section.url, kind, report);
  const credentials = readCredentials(path, section, report);
  const headers = readHeaders(`${path}.headers`, section.headers, report);
  const caFile = readText(`${path}.caFile`, section.caFile, report);
  const timeout = timeoutIn(String(section.timeout ?? defaultTimeout));
  if ('allowed' in timeout) {
    report(`${path}.timeout`, `is ${String(section.timeout)}; expected ${timeout.allowed}`);
    return undefined;
  }
  return hasName && kind !== undefined && url !== undefined
    ? { name, kind, url, credentials, headers, caFile, timeoutMs: timeout.value }
    : undefined;
}

function readUrl(
  path: string,
  value: unknown,
  kind: ProviderSettings['kind'],
  report: ReportKey,
): string | undefined {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  const allowed = schemes[kind].map((scheme) => `${scheme}//`).join(' or ');
  if (url === undefined || !schemes[kind].includes(url.protocol) || url.hostname === '') {
    report(`${path}.url`, `is no URL with ${allowed}`);
    return undefined;
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    const instead = 'use tokenFile, or username and passwordFile';
    report(`${path}.url`, `has credentials, a query or a fragment; ${instead}`);
    return undefined;
  }
  if (kind === 'grpc' && url.port === '') {
    report(`${path}.url`, 'has no port');
    return undefined;
  }
  return url.href;
}

function readCredentials(
  path: string,
  section: Section,
  report: ReportKey,
): ProviderCredentials | undefined {
  const token = readSecretSource(path, section, 'token', report);
  const password = readSecretSource(path, section, 'password', report);
  const username = readText(`${path}.username`, section.username, report);
  if ((username === undefined) !== (password === undefined)) {
    report(path, 'has one of username and passwordFile; they belong together');
  }
  if (token !== undefined && password !== undefined) {
    report(path, 'has both a token and a password; one is enough');
  }
  if (token !== undefined) {
    return { kind: 'bearer', token };
  }
  return username === undefined || password === undefined
    ? undefined
    : { kind: 'basic', username, password };
}

function readHeaders(
  path: string,
  value: unknown,
  report: ReportKey,
): Readonly<Record<string, string>> {
  if (value === undefined || value === null) {
    return {};
  }
  if (!isSection(value)) {
    report(path, 'is no mapping of header names to texts');
    return {};
  }
  const entries = Object.entries(value).flatMap(([name, text]): [string, string][] => {
    if (/^authorization$/i.test(name)) {
      report(`${path}.${name}`, 'is a secret; use tokenFile, or username and passwordFile');
      return [];
    }
    const isHeader = /^[A-Za-z0-9-]+$/.test(name) && /^[ -~]+$/.test(String(text));
    if (!isHeader) {
      report(`${path}.${name}`, 'is no header with a text');
    }
    return isHeader ? [[name, String(text)]] : [];
  });
  return Object.fromEntries(entries);
}

function readText(path: string, value: unknown, report: ReportKey): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) {
    return value;
  }
  report(path, 'is no text');
  return undefined;
}
