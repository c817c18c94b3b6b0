/**
 * The settings of `serve`, from four sources: the flag `--ack-deadline` wins over the environment's
 * `HEADGATE_ACK_DEADLINE`, that over the config file's `ackDeadline`, that over the default. Secrets are
 * no settings: a setting says in which file or variable a secret stands, so that none is ever in a
 * process list. Every default and bound is in `config/table.ts`.
 */
import type { AdmissionSettings } from './admission/admission.js';
import type { HostPort } from './base/socket-address.js';
import { type AccessSettings, accessSettings } from './config/access.js';
import { admissionOf } from './config/admission.js';
import { checkForges, checkNames, checkTogether, isDatabase } from './config/check-together.js';
import { checkVariables } from './config/check-variables.js';
import {
  hooksFromEnvironment,
  type SecretVariables,
  secretVariablesOf,
  targetsFromEnvironment,
} from './config/environment.js';
import type { HookSettings } from './config/hooks.js';
import type { NotificationTarget } from './config/notifications.js';
import type { ProviderSettings } from './config/providers.js';
import {
  namedRepositoryOf,
  onlyRepositoryOf,
  type RepositorySettings,
} from './config/repositories.js';
import type { SettingProblem } from './config/setting-problem.js';
import { readValues, type SettingSources, type Values } from './config/sources.js';
import type { LogFormat, LogLevel } from './config/table.js';

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

function isError(problem: SettingProblem): boolean {
  return problem.severity === 'error';
}
