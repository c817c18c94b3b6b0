/** The config file's `notifications`: who is told, of what, and where the secrets for it stand. */
import type { NotificationFilter, NotificationSettings, SecretSource } from '../config.js';
import type { Announcement } from '../loop/events.js';
import { isSection, type ReportKey, reportUnknownKeys, type Section, suggest } from './keys.js';

/** Every event that can be asked for. The type makes a forgotten one a compile error. */
const eventNames = Object.keys({
  'rollout.started': true,
  'rollout.succeeded': true,
  'rollout.rolledBack': true,
  'rollout.aborted': true,
  'rollout.paused': true,
  'rollout.waitingForApproval': true,
  'rollout.superseded': true,
  'revision.rejected': true,
} satisfies Record<Announcement['event'], true>);

const severities = ['info', 'warning', 'error'] as const;
const filterKeys = ['events', 'meshes', 'minSeverity'] as const;

/** Labels of metrics and keys of the outbox: short, and safe in both. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The targets in `value`; those that cannot be used are reported and left out. */
export function readNotifications(value: unknown, report: ReportKey): NotificationSettings {
  if (value === undefined || value === null) {
    return { slack: [], webhooks: [] };
  }
  if (!isSection(value)) {
    report('notifications', 'is no mapping with slack and webhooks');
    return { slack: [], webhooks: [] };
  }
  reportUnknownKeys('notifications', value, ['slack', 'webhooks'], report);
  return {
    slack: targetsIn(value, 'slack', report).flatMap(([path, target]) => {
      reportUnknownKeys(path, target, ['name', 'urlFile', 'urlEnv', ...filterKeys], report);
      const name = readName(path, target, report);
      const url = readSecretSource(path, target, 'url', report);
      if (url === undefined) {
        report(path, 'has no urlFile and no urlEnv; one of them says where the URL stands');
      }
      const filter = readFilter(path, target, report);
      return name === undefined || url === undefined ? [] : [{ name, url, ...filter }];
    }),
    webhooks: targetsIn(value, 'webhooks', report).flatMap(([path, target]) => {
      const own = ['name', 'url', 'urlFile', 'urlEnv', 'secretFile', 'secretEnv'];
      reportUnknownKeys(path, target, [...own, ...filterKeys], report);
      const name = readName(path, target, report);
      const url = readUrl(path, target, report);
      const secret = readSecretSource(path, target, 'secret', report);
      const filter = readFilter(path, target, report);
      return name === undefined || url === undefined ? [] : [{ name, url, secret, ...filter }];
    }),
  };
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

function readUrl(
  path: string,
  target: Section,
  report: ReportKey,
): SecretSource | { readonly kind: 'text'; readonly text: string } | undefined {
  if (target.url === undefined) {
    const source = readSecretSource(path, target, 'url', report);
    if (source === undefined) {
      report(path, 'has no url, no urlFile and no urlEnv');
    }
    return source;
  }
  const url = typeof target.url === 'string' && URL.canParse(target.url) ? target.url : '';
  if (!/^https?:/.test(url) || new URL(url).password !== '' || new URL(url).username !== '') {
    report(
      `${path}.url`,
      'is no http or https URL without a password; for a secret one use urlFile',
    );
    return undefined;
  }
  return { kind: 'text', text: url };
}

function readSecretSource(
  path: string,
  target: Section,
  what: 'url' | 'secret',
  report: ReportKey,
): SecretSource | undefined {
  const file = target[`${what}File`];
  const variable = target[`${what}Env`];
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

function readFilter(path: string, target: Section, report: ReportKey): NotificationFilter {
  const events = readNames(`${path}.events`, target.events, report);
  for (const event of events ?? []) {
    if (!eventNames.includes(event)) {
      report(`${path}.events`, `has ${event}, which is no event; ${suggest(event, eventNames)}`);
    }
  }
  const minSeverity = severities.find((severity) => severity === target.minSeverity);
  if (target.minSeverity !== undefined && minSeverity === undefined) {
    report(`${path}.minSeverity`, `is none of ${severities.join(', ')}`);
  }
  const meshes = readNames(`${path}.meshes`, target.meshes, report);
  return { events, meshes, minSeverity };
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
