/**
 * The settings of `serve`, from four sources: the flag `--ack-deadline` wins over the environment's
 * `HEADGATE_ACK_DEADLINE`, that over the config file's `ackDeadline`, that over the default. Secrets are
 * no settings: a setting says in which file or variable a secret stands, so that none is ever in a
 * process list. Every default and bound is in `config/table.ts`.
 */
import type { AdmissionSettings } from './admission/admission.js';
import { ruleForm } from './admission/rules.js';
import { nearestName } from './base/nearest-name.js';
import { redacted } from './base/printable.js';
import { type HostPort, isLoopback, renderHostPort } from './base/socket-address.js';
import { type AccessSettings, accessSettings, checkAccess, hasSignIn } from './config/access.js';
import {
  hooksFromEnvironment,
  type SecretVariables,
  secretVariableKinds,
  secretVariablesOf,
  targetsFromEnvironment,
} from './config/environment.js';
import type { ConfigFile } from './config/file.js';
import { type HookSettings, hookProviders } from './config/hooks.js';
import type { NotificationTarget } from './config/notifications.js';
import type { ProviderSettings } from './config/providers.js';
import {
  namedRepositoryOf,
  onlyRepositoryOf,
  type RepositorySettings,
  singleSettings,
} from './config/repositories.js';
import type { SettingProblem } from './config/setting-problem.js';
import {
  flagOf,
  type LogFormat,
  type LogLevel,
  type Setting,
  type SettingName,
  settingNames,
  settingsTable,
  type ValueOf,
  variableOf,
} from './config/table.js';

/** What `startApp` needs to know, complete and checked. */
export interface Settings {
  /** At least one. */
  readonly repositories: readonly RepositorySettings[];
  /** Port 0 takes any free one. */
  readonly xds: HostPort;
  /** Who may open xDS streams; undefined: whoever reaches the port. */
  readonly xdsAdmission?: AdmissionSettings;
  readonly http: HostPort;
  /** The state's file, or a PostgreSQL URL. */
  readonly state: string;
  /** File with the PostgreSQL URL, which takes the place of `state`. */
  readonly stateUrlFile?: string;
  readonly statePasswordFile?: string;
  /** This replica's name among several; undefined: the host's. */
  readonly replica?: string;
  /** How long a leader may be silent before another replica leads. */
  readonly leaseMs: number;
  /** Folder of the secrets that proxies get by name; undefined: there are none. */
  readonly secrets?: string;
  /** Variables that hold secrets of proxies; what the folder has wins. */
  readonly secretVariables: readonly SecretVariables[];
  /** True: may listen where other machines reach it, though nothing asks them who they are. */
  readonly insecure: boolean;
  readonly loadReportIntervalMs: number;
  /** A proxy that has not acknowledged for longer is reported and left out. */
  readonly ackDeadlineMs: number;
  /** Time that a stop gives to what is under way. */
  readonly drainMs: number;
  readonly logLevel: LogLevel;
  /** `auto`: pretty on a terminal, JSON elsewhere. */
  readonly logFormat: LogFormat;
  readonly notifications: readonly NotificationTarget[];
  readonly hooks: HookSettings;
  /** Whom gates may ask. */
  readonly providers: readonly ProviderSettings[];
  readonly access: AccessSettings;
  /** Where people reach the dashboard, for links in messages; undefined: messages have none. */
  readonly publicUrl?: string;
}

export interface SettingSources {
  /** By setting name; a switch is a boolean. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** An empty variable counts as unset, as compose files leave them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file?: ConfigFile;
}

export interface ResolvedSettings {
  /** Undefined where any problem is an error. */
  readonly settings?: Settings;
  readonly problems: readonly SettingProblem[];
}

/** The settings, and all that is wrong with them, at once. */
export function resolveSettings(sources: SettingSources): ResolvedSettings {
  const problems: SettingProblem[] = [...(sources.file?.problems ?? [])];
  const report = (place: string, message: string, severity: 'error' | 'warning' = 'error') => {
    problems.push({ severity, place, message });
  };
  const values = readValues(sources, report);
  const fromEnvironment = targetsFromEnvironment(sources.env);
  const notifications = [...(sources.file?.notifications ?? []), ...fromEnvironment];
  checkTogether(values, sources, report);
  checkNames(notifications, report);
  checkVariables(sources.env, report);
  const given = sources.file?.repositories ?? [];
  checkForges(notifications, given, report);
  const { state } = values;
  if (state === undefined || problems.some(isError)) {
    return { problems };
  }
  // Every other setting that is read below has a default, and what could not be read is among the problems.
  const complete = values as Required<Values>;
  // Beside the state's file, since that is the one place that is known to be writable.
  const cache = values.cache ?? (isDatabase(values) ? 'headgate.git' : `${state}.git`);
  const repositories =
    given.length === 0
      ? [onlyRepositoryOf(values, cache)]
      : given.map((one) => namedRepositoryOf(one, values, cache));
  return {
    problems,
    settings: {
      repositories: repositories.filter((one) => one !== undefined),
      xds: complete.xds,
      xdsAdmission: admissionOf(values),
      http: complete.http,
      state,
      stateUrlFile: values.stateUrlFile,
      statePasswordFile: values.statePasswordFile,
      replica: values.replica,
      leaseMs: complete.lease,
      secrets: values.secrets,
      secretVariables: secretVariablesOf(sources.env),
      insecure: complete.insecure,
      loadReportIntervalMs: complete.loadReportInterval,
      ackDeadlineMs: complete.ackDeadline,
      drainMs: complete.drain,
      logLevel: complete.logLevel,
      logFormat: complete.logFormat,
      notifications,
      access: accessSettings(values),
      hooks: { ...hooksFromEnvironment(sources.env), ...sources.file?.hooks },
      providers: sources.file?.providers ?? [],
      publicUrl: values.publicUrl,
    },
  };
}

type Report = (place: string, message: string, severity?: 'error' | 'warning') => void;
type Values = { readonly [Name in SettingName]?: ValueOf<Name> };

function isError(problem: SettingProblem): boolean {
  return problem.severity === 'error';
}

function readValues(sources: SettingSources, report: Report): Values {
  const entries = settingNames.flatMap((name) => {
    const setting: Setting<unknown> = settingsTable[name];
    const given = findText(name, sources);
    const text = given?.text ?? setting.default;
    if (text === undefined) {
      return [];
    }
    const parsed = setting.parse(text);
    if ('allowed' in parsed) {
      const found = redacted(JSON.stringify(text));
      report(given?.place ?? name, `${name} is ${found}; expected ${parsed.allowed}`);
      return [];
    }
    return [[name, parsed.value]];
  });
  return Object.fromEntries(entries);
}

/** The text of the setting from the source that wins, and where that is. */
function findText(
  name: SettingName,
  { flags, env, file }: SettingSources,
): { readonly text: string; readonly place: string } | undefined {
  if (flags[name] !== undefined) {
    return { text: String(flags[name]), place: flagOf(name) };
  }
  const variable = variableOf(name);
  if (env[variable]) {
    return { text: env[variable], place: variable };
  }
  return file?.values.get(name);
}

/** What no setting can know alone. */
function checkTogether(values: Values, sources: SettingSources, report: Report): void {
  const placeOf = (name: SettingName) => findText(name, sources)?.place ?? flagOf(name);
  checkRepository(sources, report);
  const refs = (['branch', 'tag', 'semver', 'commit'] as const).filter(
    (name) => findText(name, sources) !== undefined,
  );
  if (refs.length > 1) {
    const named = refs.map((name) => placeOf(name)).join(' and ');
    report(placeOf(refs[0] ?? 'branch'), `${named} each say what is deployed; name one of them`);
  }
  if (
    typeof sources.flags.repo === 'string' &&
    redacted(sources.flags.repo) !== sources.flags.repo
  ) {
    report(
      '--repo',
      'holds a password, which every user of this machine can see; set HEADGATE_REPO',
    );
  }
  checkState(values, sources, { placeOf, report });
  checkAdmission(values, placeOf, report);
  const isAsked = { xds: admissionOf(values) !== undefined, http: hasSignIn(values) };
  for (const name of ['xds', 'http'] as const) {
    const listen = values[name];
    const isReached = listen !== undefined && !isLoopback(listen.address);
    if (isReached && !isAsked[name] && values.insecure === false) {
      report(
        placeOf(name),
        `${name} is ${renderHostPort(listen)}, which other machines may reach, and nothing asks ` +
          `them who they are; ${remedyOf[name]}`,
      );
    }
  }
  checkAccess(values, (name, message) => report(placeOf(name), message));
  const { xds, http } = values;
  const [variables] = secretVariablesOf(sources.env);
  const hasSecrets = values.secrets !== undefined || variables !== undefined;
  if (hasSecrets && xds !== undefined && !isLoopback(xds.address) && !isAsked.xds) {
    report(
      values.secrets === undefined ? 'environment' : placeOf('secrets'),
      `secrets are served in plain text at ${renderHostPort(xds)}, to whoever says it is a proxy that ` +
        'names them; let only proxies reach it',
      'warning',
    );
  }
  if (xds && http && xds.port !== 0 && renderHostPort(xds) === renderHostPort(http)) {
    report(placeOf('http'), `http is ${renderHostPort(http)}, as xds is; each needs its own port`);
  }
}

function isDatabase({ state, stateUrlFile }: Values): boolean {
  return stateUrlFile !== undefined || /^postgres(ql)?:/i.test(state ?? '');
}

function checkState(
  values: Values,
  { flags }: SettingSources,
  { placeOf, report }: { readonly placeOf: (name: SettingName) => string; readonly report: Report },
): void {
  if (typeof flags.state === 'string' && redacted(flags.state) !== flags.state) {
    report(
      '--state',
      'holds a password, which every user of this machine can see; set HEADGATE_STATE, or give ' +
        '--state-password-file',
    );
  }
  for (const name of ['statePasswordFile', 'replica'] as const) {
    if (values[name] !== undefined && !isDatabase(values)) {
      report(
        placeOf(name),
        `${name} is of use with a PostgreSQL state only; give --state postgres://USER@HOST/DATABASE`,
      );
    }
  }
}

/** One repository is given, or several in the file, and not both. */
function checkRepository(sources: SettingSources, report: Report): void {
  const isSeveral = (sources.file?.repositories ?? []).length > 0;
  if (!isSeveral && findText('repo', sources) === undefined) {
    report('--repo', 'is missing; name the Git repository of the mesh, or a directory');
  }
  for (const name of isSeveral ? singleSettings : []) {
    const given = findText(name, sources);
    if (given !== undefined) {
      report(given.place, `${name} is of one repository; write it into each of \`repositories\``);
    }
  }
}

/** A status is no use on another repository's commit, so each target says whose commits it is for. */
function checkForges(
  targets: readonly NotificationTarget[],
  repositories: readonly { readonly name: string }[],
  report: Report,
): void {
  const names = repositories.map(({ name }) => name);
  for (const target of targets) {
    const isForge = target.kind === 'commitStatus' || target.kind === 'revert';
    if (isForge && names.length === 0 && target.of !== undefined) {
      report(
        'notifications',
        `${target.name} is of ${target.of}, and there is no \`repositories\``,
      );
    } else if (isForge && names.length > 0 && !names.includes(target.of ?? '')) {
      report('notifications', `${target.name} has to be \`of\` one of ${names.join(', ')}`);
    }
  }
}

const remedyOf = {
  xds:
    'give it --xds-cert, --xds-key and either --xds-client-ca with --xds-clients or --xds-token-key, ' +
    'use a loopback address, or say --insecure where the network is trusted',
  http: 'use a loopback address, or say --insecure where the network is trusted',
} as const;

/** Undefined: nobody is asked who it is. */
function admissionOf(values: Values): AdmissionSettings | undefined {
  const { xdsCert, xdsKey, xdsClientCa, xdsCrl, xdsClients, xdsTokenKey, xdsTokensRevoked } =
    values;
  return xdsClientCa === undefined && xdsTokenKey === undefined
    ? undefined
    : {
        certificate: xdsCert,
        key: xdsKey,
        clientCa: xdsClientCa,
        crl: xdsCrl,
        rules: xdsClients ?? [],
        tokenKey: xdsTokenKey,
        tokensRevoked: xdsTokensRevoked,
      };
}

/** Half of an admission is none, and whoever asked for half of it must not believe in the whole. */
function checkAdmission(
  values: Values,
  placeOf: (name: SettingName) => string,
  report: Report,
): void {
  const needs = (name: SettingName, needed: SettingName, why: string): void => {
    if (values[name] !== undefined && values[needed] === undefined) {
      report(placeOf(name), `${name} needs ${needed}, ${why}; give ${flagOf(needed)}`);
    }
  };
  needs('xdsCert', 'xdsKey', 'the key of that certificate');
  needs('xdsKey', 'xdsCert', 'the certificate of that key');
  needs('xdsClientCa', 'xdsCert', 'since Envoys show certificates over TLS only');
  needs('xdsClientCa', 'xdsClients', `which say who is who, as ${ruleForm}`);
  needs('xdsClients', 'xdsClientCa', 'the authorities whose certificates the rules are about');
  needs('xdsCrl', 'xdsClientCa', 'the authorities whose certificates are revoked');
  needs('xdsTokensRevoked', 'xdsTokenKey', 'the key of those tokens');
  const { xds, xdsCert, xdsTokenKey, xdsClientCa } = values;
  if (xdsCert !== undefined && xdsClientCa === undefined && xdsTokenKey === undefined) {
    report(
      placeOf('xdsCert'),
      'xdsCert says who the controller is, and nothing says who its Envoys are; ' +
        'give --xds-client-ca with --xds-clients, or --xds-token-key',
    );
  }
  const isReached = xds !== undefined && !isLoopback(xds.address);
  if (
    isReached &&
    xdsTokenKey !== undefined &&
    xdsCert === undefined &&
    values.insecure === false
  ) {
    report(
      placeOf('xdsTokenKey'),
      `tokens would pass in plain text to ${renderHostPort(xds)}; give --xds-cert and --xds-key, ` +
        'or say --insecure where the network is trusted',
    );
  }
}

/** Targets are told apart by their names alone. */
function checkNames(targets: readonly { readonly name: string }[], report: Report): void {
  const names = targets.map((target) => target.name);
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index))) {
    report('notifications', `two targets are called ${name}; give each a name of its own`);
  }
}

/** Variables that are ours and no setting's: read elsewhere in this program. */
const otherVariables: readonly string[] = [
  ...['CONFIG', 'FAILPOINT', 'SERVER', 'TOKEN', 'TOKEN_FILE', 'ENVOY', 'ROOT'],
  ...['SLACK_URL', 'SLACK_URL_FILE'],
  ...hookProviders.flatMap((provider) => {
    const name = `${provider.toUpperCase()}_HOOK_SECRET`;
    return [name, `${name}_FILE`];
  }),
  ...['WEBHOOK_URL', 'WEBHOOK_URL_FILE', 'WEBHOOK_SECRET', 'WEBHOOK_SECRET_FILE'],
];

/** Those of secrets end in a name that is anybody's, so only what stands before it is compared. */
function nearestVariable(name: string, known: readonly string[]): string | undefined {
  const [, kind = '', secret] = /^([A-Z]+_[A-Z]+)_([A-Z0-9_]+)$/.exec(name) ?? [];
  if ((secretVariableKinds as readonly string[]).includes(kind)) {
    return undefined;
  }
  const nearest = nearestName(kind, secretVariableKinds);
  return nearest === undefined ? nearestName(name, known) : `${nearest}_${secret}`;
}

/** Kubernetes sets `HEADGATE_…` variables for a service of that name, so only likely mistakes are named. */
function checkVariables(env: SettingSources['env'], report: Report): void {
  const prefix = variableOf('');
  const known = [
    ...settingNames.map((name) => variableOf(name).slice(prefix.length)),
    ...otherVariables,
  ];
  for (const variable of Object.keys(env)) {
    const name = variable.startsWith(prefix) ? variable.slice(prefix.length) : '';
    const nearest = known.includes(name) ? undefined : nearestVariable(name, known);
    if (name !== '' && nearest !== undefined) {
      report(variable, `is no setting; did you mean ${prefix}${nearest}?`, 'warning');
    }
  }
}
