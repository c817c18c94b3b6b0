/**
 * Every setting of `serve`, once: how it is called in each source, its default, its bounds and their
 * reason. The help, the flags, the environment and the config file are all made from this table.
 */
import { parseRules } from '../admission/rules.js';
import {
  duration,
  hostPort,
  httpUrl,
  nameList,
  oneOf,
  onOff,
  type Parsed,
  plainText,
  replicaName,
} from './values.js';

export const logLevels = ['info', 'warn', 'error'] as const;
export const logFormats = ['auto', 'json', 'pretty'] as const;

export type LogLevel = (typeof logLevels)[number];
export type LogFormat = (typeof logFormats)[number];

export interface Setting<T> {
  /** What stands for the value in the help; undefined: a switch, true where it is named. */
  readonly placeholder?: string;
  /** One sentence. */
  readonly help: string;
  /** In the form that `parse` reads; undefined: must be given, or follows from another setting. */
  readonly default?: string;
  readonly parse: (text: string) => Parsed<T>;
}

export const settingsTable = {
  repo: {
    placeholder: 'URL|DIR',
    help: 'Git repository of the mesh, or a plain directory to watch.',
    parse: plainText,
  },
  branch: {
    placeholder: 'NAME',
    help: 'Branch that is deployed.',
    default: 'main',
    parse: plainText,
  },
  tag: {
    placeholder: 'NAME',
    help: 'Tag that is deployed, instead of a branch.',
    parse: plainText,
  },
  semver: {
    placeholder: 'RANGE',
    help: 'Deploys the newest tag that is a version in this range, as ^1.4, instead of a branch.',
    parse: plainText,
  },
  commit: {
    placeholder: 'ID',
    help: 'The one commit that is deployed, instead of a branch.',
    parse: plainText,
  },
  path: {
    placeholder: 'DIR',
    help: 'Folder of the mesh inside the repository.',
    default: '.',
    parse: plainText,
  },
  poll: {
    placeholder: 'DURATION',
    help: 'Time between two looks at the repository.',
    default: '5s',
    // Below 100 ms a poll costs the Git server more than anybody gains by it.
    parse: duration('100ms', '24h'),
  },
  xds: {
    placeholder: 'HOST:PORT',
    help: 'Where Envoys connect.',
    default: '127.0.0.1:18000',
    parse: hostPort,
  },
  xdsCert: {
    placeholder: 'FILE',
    help: 'Certificate of the xDS port (PEM, with what signed it): Envoys connect over TLS.',
    parse: plainText,
  },
  xdsKey: {
    placeholder: 'FILE',
    help: "Key of the xDS port's certificate (PEM).",
    parse: plainText,
  },
  xdsClientCa: {
    placeholder: 'FILE',
    help: "Authorities that sign Envoys' certificates (PEM).",
    parse: plainText,
  },
  xdsCrl: {
    placeholder: 'FILE',
    help: "Revocation lists of Envoys' certificates (PEM), one of each authority.",
    parse: plainText,
  },
  xdsClients: {
    placeholder: 'RULE,...',
    help: 'Which certificate may be which node: NAME => NODE-ID or NAME => operator.',
    parse: parseRules,
  },
  xdsTokenKey: {
    placeholder: 'FILE',
    help: "Keys of Envoys' tokens, one a line; `headgate proxy-token` signs with the first.",
    parse: plainText,
  },
  xdsTokensRevoked: {
    placeholder: 'FILE',
    help: "Ids of Envoys' tokens that no longer count, one a line.",
    parse: plainText,
  },
  http: {
    placeholder: 'HOST:PORT',
    help: 'Where the API, health and metrics listen.',
    default: '127.0.0.1:8080',
    parse: hostPort,
  },
  publicUrl: {
    placeholder: 'URL',
    help: 'Where people reach the dashboard: messages and commit statuses link to it.',
    parse: httpUrl,
  },
  tokensFile: {
    placeholder: 'FILE',
    help: 'File of API tokens, ROLE NAME TOKEN on each line; `headgate token` makes one.',
    parse: plainText,
  },
  oidcIssuer: {
    placeholder: 'URL',
    help: 'OpenID Connect provider that people sign in with.',
    parse: httpUrl,
  },
  oidcClientId: {
    placeholder: 'ID',
    help: 'What the provider knows Headgate as.',
    parse: plainText,
  },
  oidcClientSecretFile: {
    placeholder: 'FILE',
    help: "File with the client's secret.",
    parse: plainText,
  },
  oidcOperators: {
    placeholder: 'NAMES',
    help: 'Who may give commands: groups or e-mail addresses, with commas between; * is everybody.',
    parse: nameList,
  },
  oidcViewers: {
    placeholder: 'NAMES',
    help: 'Who may look, in the same form.',
    parse: nameList,
  },
  oidcScopes: {
    placeholder: 'SCOPES',
    help: 'What the provider is asked for besides openid.',
    default: 'email profile',
    parse: plainText,
  },
  state: {
    placeholder: 'FILE|URL',
    help: 'File that keeps the state, or for several replicas postgres://USER@HOST/DATABASE.',
    default: 'headgate.db',
    parse: plainText,
  },
  stateUrlFile: {
    placeholder: 'FILE',
    help: "File with the state's PostgreSQL URL, which may hold a password.",
    parse: plainText,
  },
  statePasswordFile: {
    placeholder: 'FILE',
    help: "File with the password of the state's PostgreSQL user, read anew at each connection.",
    parse: plainText,
  },
  replica: {
    placeholder: 'NAME',
    help: 'What this replica is called among several (default: the name of the host).',
    parse: replicaName,
  },
  lease: {
    placeholder: 'DURATION',
    help: 'How long a leading replica may be silent before another one leads.',
    default: '15s',
    // It is renewed five times in that time, over connections that may take a second to answer.
    parse: duration('2s', '5m'),
  },
  cache: {
    placeholder: 'DIR',
    help: 'Folder for fetched Git objects (default: the state file with .git added).',
    parse: plainText,
  },
  secrets: {
    placeholder: 'DIR',
    help: 'Folder of TLS secrets for proxies: NAME/tls.crt and tls.key, NAME/ca.crt.',
    parse: plainText,
  },
  gitTokenFile: {
    placeholder: 'FILE',
    help: 'File with the token or password for an https repository.',
    parse: plainText,
  },
  gitUsername: {
    placeholder: 'NAME',
    help: 'Who the token belongs to, where the server asks for it.',
    parse: plainText,
  },
  gitCaFile: {
    placeholder: 'FILE',
    help: "Certificate authorities of an https repository, instead of the system's.",
    parse: plainText,
  },
  gitKeyFile: {
    placeholder: 'FILE',
    help: 'Private key for an ssh repository.',
    parse: plainText,
  },
  gitKnownHostsFile: {
    placeholder: 'FILE',
    help: 'The only host keys that are accepted over ssh.',
    parse: plainText,
  },
  gitSignersFile: {
    placeholder: 'FILE',
    help: 'Allowed signers (ssh-keygen) of whom one must have signed each commit.',
    parse: plainText,
  },
  gitKeyringFile: {
    placeholder: 'FILE',
    help: 'Public GPG keys, armored, of which one must have signed each commit.',
    parse: plainText,
  },
  gitRevokedFile: {
    placeholder: 'FILE',
    help: 'SSH keys that no longer count: a revocation list or public keys.',
    parse: plainText,
  },
  insecure: {
    help: 'Listen without authentication on addresses that other machines reach.',
    default: 'false',
    parse: onOff,
  },
  loadReportInterval: {
    placeholder: 'DURATION',
    help: 'How often Envoys report requests and errors.',
    default: '1s',
    // Windows of gates are seconds long; a report costs a few hundred bytes.
    parse: duration('100ms', '1m'),
  },
  ackDeadline: {
    placeholder: 'DURATION',
    help: 'How long a silent proxy holds up a step.',
    default: '30s',
    // Envoy itself waits 15 s for a warming resource (initial_fetch_timeout); twice that is silence.
    parse: duration('100ms', '1h'),
  },
  drain: {
    placeholder: 'DURATION',
    help: 'How long a stop waits for what is under way.',
    default: '5s',
    // Container runtimes kill after 30 s at the latest by default.
    parse: duration('0s', '30s'),
  },
  logLevel: {
    placeholder: 'LEVEL',
    help: `Lowest level that is logged: ${logLevels.join(', ')}.`,
    default: 'info',
    parse: oneOf(logLevels),
  },
  logFormat: {
    placeholder: 'FORMAT',
    help: `Form of the log: ${logFormats.join(', ')} (auto: pretty on a terminal, else json).`,
    default: 'auto',
    parse: oneOf(logFormats),
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

export type SettingName = keyof typeof settingsTable;

export const settingNames = Object.keys(settingsTable) as readonly SettingName[];

/** What the setting's `parse` gives. */
export type ValueOf<Name extends SettingName> =
  ReturnType<(typeof settingsTable)[Name]['parse']> extends infer Result
    ? Result extends { readonly value: infer Value }
      ? Value
      : never
    : never;

/** `ackDeadline` as a flag: `--ack-deadline`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `ackDeadline` in the environment: `HEADGATE_ACK_DEADLINE`. */
export function variableOf(name: string): string {
  return `HEADGATE_${flagOf(name).slice(2).replaceAll('-', '_').toUpperCase()}`;
}
