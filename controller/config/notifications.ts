/** The config file's `notifications`: who is told, of what, in which form, and where the secrets stand. */
import { type ForgeProvider, forgeProviders } from '../base/forge.js';
import type { Announcement } from '../loop/events.js';
import { isSection, type ReportKey, reportUnknownKeys, type Section, suggest } from './keys.js';
import {
  readPlainUrl,
  readSecretSource,
  readUrlSource,
  requireSecretSource,
  type SecretSource,
  type UrlSource,
} from './secret-source.js';
import { type MessageTemplates, readTemplates } from './templates.js';

/** Which announcements a target gets; what is left out does not filter. */
export interface NotificationFilter {
  readonly events?: readonly string[];
  readonly meshes?: readonly string[];
  /** Names of routers, or of other resources that a rollout changes. */
  readonly services?: readonly string[];
  readonly minSeverity?: 'info' | 'warning' | 'error';
}

/** A chat's incoming webhook, whose URL is itself the secret. */
export interface ChatTarget {
  readonly kind: 'slack' | 'teams' | 'discord' | 'googleChat';
  readonly url: SecretSource;
  readonly templates?: MessageTemplates;
}

/** A Slack app with a bot token (`chat:write`): one message a rollout, which is edited. */
export interface SlackBotTarget {
  readonly kind: 'slackBot';
  readonly token: SecretSource;
  /** A channel's id, as `C0123456789`. */
  readonly channel: string;
  /** Base of Slack's Web API. */
  readonly apiUrl: string;
  readonly templates?: MessageTemplates;
}

/** A program of the operator's. */
export interface WebhookTarget {
  readonly kind: 'webhook' | 'cloudEvents';
  readonly url: UrlSource;
  /** Signs the bodies; undefined: they go unsigned. */
  readonly secret?: SecretSource;
}

/**
 * Where the team reads its pull requests: statuses of the commit itself, or a pull request that reverts
 * one which was rolled back.
 */
export interface ForgeTarget {
  readonly kind: 'commitStatus' | 'revert';
  /** `gitea` is Forgejo, too. */
  readonly provider: ForgeProvider;
  /** `owner/name`; on GitLab groups may nest. */
  readonly repository: string;
  /** Which of several repositories this is, by its name in `repositories`; undefined: the only one. */
  readonly of?: string;
  /** Base of the provider's API. */
  readonly apiUrl: string;
  readonly token: SecretSource;
}

export type NotificationTarget = NotificationFilter & {
  /** Unique among all targets: deliveries are remembered and counted by it. */
  readonly name: string;
} & (ChatTarget | SlackBotTarget | WebhookTarget | ForgeTarget);

/** Every event that can be asked for. The type makes a forgotten one a compile error. */
export const eventNames = Object.keys({
  'rollout.started': true,
  'rollout.succeeded': true,
  'rollout.rolledBack': true,
  'rollout.aborted': true,
  'rollout.paused': true,
  'rollout.waitingForApproval': true,
  'rollout.superseded': true,
  'revision.accepted': true,
  'revision.rejected': true,
} satisfies Record<Announcement['event'], true>) as readonly Announcement['event'][];

const severities = ['info', 'warning', 'error'] as const;
const filterKeys = ['events', 'meshes', 'services', 'minSeverity'] as const;

/** Labels of metrics and keys of the outbox: short, and safe in both. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Where each provider answers unless it runs on the operator's own machines. */
const publicApis: Readonly<Record<ForgeProvider, string | undefined>> = {
  github: 'https://api.github.com',
  gitlab: 'https://gitlab.com/api/v4',
  gitea: undefined,
  bitbucket: 'https://api.bitbucket.org/2.0',
};

type Form = ChatTarget | SlackBotTarget | WebhookTarget | ForgeTarget;

interface SectionReader {
  /** Keys of a target beside its name and filter. */
  readonly keys: readonly string[];
  /** The target's own part; undefined where it cannot be used, which was reported. */
  readonly read: (path: string, target: Section, report: ReportKey) => Form | undefined;
}

const sections: Readonly<Record<string, SectionReader>> = {
  slack: chat('slack'),
  teams: chat('teams'),
  discord: chat('discord'),
  googleChat: chat('googleChat'),
  slackBots: {
    keys: ['tokenFile', 'tokenEnv', 'channel', 'apiUrl', 'templates'],
    read: readSlackBot,
  },
  webhooks: program('webhook'),
  cloudEvents: program('cloudEvents'),
  commitStatuses: forge('commitStatus'),
  reverts: forge('revert'),
};

/** The targets in `value`; those that cannot be used are reported and left out. */
export function readNotifications(
  value: unknown,
  report: ReportKey,
): readonly NotificationTarget[] {
  const names = Object.keys(sections);
  if (value === undefined || value === null) {
    return [];
  }
  if (!isSection(value)) {
    report('notifications', `is no mapping with ${names.join(', ')}`);
    return [];
  }
  reportUnknownKeys('notifications', value, names, report);
  return Object.entries(sections).flatMap(([key, { keys, read }]) =>
    targetsIn(value, key, report).flatMap(([path, target]): NotificationTarget[] => {
      reportUnknownKeys(path, target, ['name', ...keys, ...filterKeys], report);
      const name = readName(path, target, report);
      const form = read(path, target, report);
      const filter = readFilter(path, target, report);
      return name === undefined || form === undefined ? [] : [{ name, ...filter, ...form }];
    }),
  );
}

function chat(kind: ChatTarget['kind']): SectionReader {
  return {
    keys: ['urlFile', 'urlEnv', 'templates'],
    read: (path, target, report) => {
      const url = requireSecretSource(path, target, 'url', report);
      const templates = templatesIn(path, target, report);
      return url === undefined ? undefined : { kind, url, ...templates };
    },
  };
}

/** Spread into a target, so that one without templates has no such key. */
function templatesIn(
  path: string,
  target: Section,
  report: ReportKey,
): { readonly templates?: MessageTemplates } {
  const templates = readTemplates(`${path}.templates`, target.templates, eventNames, report);
  return templates === undefined ? {} : { templates };
}

function program(kind: WebhookTarget['kind']): SectionReader {
  return {
    keys: ['url', 'urlFile', 'urlEnv', 'secretFile', 'secretEnv'],
    read: (path, target, report) => {
      const url = readUrlSource(path, target, report);
      const secret = readSecretSource(path, target, 'secret', report);
      return url === undefined ? undefined : { kind, url, secret };
    },
  };
}

function readSlackBot(
  path: string,
  target: Section,
  report: ReportKey,
): SlackBotTarget | undefined {
  const token = requireSecretSource(path, target, 'token', report);
  const { channel, apiUrl = 'https://slack.com/api' } = target;
  const base = readPlainUrl(`${path}.apiUrl`, apiUrl, report);
  const templates = templatesIn(path, target, report);
  if (typeof channel !== 'string' || !/^[A-Z0-9]{3,30}$/.test(channel)) {
    report(`${path}.channel`, 'is missing or no id of a channel, as C0123456789');
    return undefined;
  }
  return token === undefined || base === undefined
    ? undefined
    : { kind: 'slackBot', token, channel, apiUrl: base, ...templates };
}

function forge(kind: ForgeTarget['kind']): SectionReader {
  return {
    keys: ['provider', 'repository', 'of', 'apiUrl', 'tokenFile', 'tokenEnv'],
    read: (path, target, report) => {
      const place = readForge(path, target, report);
      return place === undefined ? undefined : { kind, ...place };
    },
  };
}

function readForge(
  path: string,
  target: Section,
  report: ReportKey,
): Omit<ForgeTarget, 'kind'> | undefined {
  const token = requireSecretSource(path, target, 'token', report);
  const { repository } = target;
  const provider = forgeProviders.find((name) => name === target.provider);
  if (provider === undefined) {
    report(`${path}.provider`, `is none of ${forgeProviders.join(', ')}`);
    return undefined;
  }
  const given = target.apiUrl ?? publicApis[provider];
  if (given === undefined) {
    report(path, `has no apiUrl, which ${provider} needs, as https://git.example.com/api/v1`);
    return undefined;
  }
  const apiUrl = readPlainUrl(`${path}.apiUrl`, given, report);
  const pattern = provider === 'gitlab' ? /^[\w.-]+(\/[\w.-]+)+$/ : /^[\w.-]+\/[\w.-]+$/;
  if (typeof repository !== 'string' || !pattern.test(repository) || repository.includes('..')) {
    report(`${path}.repository`, 'is missing or no owner/name');
    return undefined;
  }
  const { of } = target;
  if (of !== undefined && typeof of !== 'string') {
    report(`${path}.of`, 'is no name of one of the repositories');
    return undefined;
  }
  return token === undefined || apiUrl === undefined
    ? undefined
    : { provider, repository, of, apiUrl, token };
}

function targetsIn(value: Section, key: string, report: ReportKey): readonly [string, Section][] {
  const list = value[key] ?? [];
  if (!Array.isArray(list)) {
    report(`notifications.${key}`, 'is no list');
    return [];
  }
  return list.flatMap((target: unknown, index): [string, Section][] => {
    const path = `notifications.${key}[${index}]`;
    if (isSection(target)) {
      return [[path, target]];
    }
    report(path, 'is no mapping');
    return [];
  });
}

function readName(path: string, target: Section, report: ReportKey): string | undefined {
  if (typeof target.name === 'string' && namePattern.test(target.name)) {
    return target.name;
  }
  report(`${path}.name`, 'is missing or no name of letters, digits, dots, dashes');
  return undefined;
}

function readFilter(path: string, target: Section, report: ReportKey): NotificationFilter {
  const events = readNames(`${path}.events`, target.events, report);
  for (const event of events ?? []) {
    if (!(eventNames as readonly string[]).includes(event)) {
      report(`${path}.events`, `has ${event}, which is no event; ${suggest(event, eventNames)}`);
    }
  }
  const minSeverity = severities.find((severity) => severity === target.minSeverity);
  if (target.minSeverity !== undefined && minSeverity === undefined) {
    report(`${path}.minSeverity`, `is none of ${severities.join(', ')}`);
  }
  const meshes = readNames(`${path}.meshes`, target.meshes, report);
  const services = readNames(`${path}.services`, target.services, report);
  return { events, meshes, services, minSeverity };
}

function readNames(path: string, value: unknown, report: ReportKey): readonly string[] | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string')) {
    return value;
  }
  report(path, 'is no list of names; leave it out to mean all');
  return undefined;
}
