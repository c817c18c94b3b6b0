/** From a target of the settings, its secrets read, to the sink that serves it and who it hears. */
import type { NotificationTarget } from '../config/notifications.js';
import type { SecretSource, UrlSource } from '../config/secret-source.js';
import type { Clock } from '../loop/ports.js';
import { createCloudEventsSink } from './cloud-events.js';
import { createCommitStatusSink } from './commit-status.js';
import { createDiscordSink } from './discord.js';
import { createGoogleChatSink } from './google-chat.js';
import type { Audience } from './notification.js';
import { createRevertSink, type PushRevert } from './revert.js';
import type { Sink, SinkMemory } from './sink.js';
import { createSlackSink } from './slack.js';
import { createSlackBotSink } from './slack-bot.js';
import { createTeamsSink } from './teams.js';
import { withTemplates } from './template.js';
import { createWebhookSink } from './webhook.js';

export interface SinkDependencies {
  /** What the sink of this name remembers. */
  readonly memoryOf: (sink: string) => SinkMemory;
  readonly clock: Clock;
  /** Throws an `OpError` where there is no secret. */
  readonly readSecret: (source: SecretSource) => string;
  readonly pushRevert: PushRevert;
  /** Where people reach the dashboard. */
  readonly publicUrl?: string;
}

/** Throws an `OpError` where a secret is missing or a URL is none. */
export function createSink(target: NotificationTarget, dependencies: SinkDependencies): Sink {
  const sink = createPlainSink(target, dependencies);
  return 'templates' in target && target.templates !== undefined
    ? withTemplates(sink, target.templates)
    : sink;
}

function createPlainSink(target: NotificationTarget, dependencies: SinkDependencies): Sink {
  const { memoryOf, clock, readSecret, publicUrl } = dependencies;
  const { name } = target;
  const readUrl = (url: UrlSource) => (url.kind === 'text' ? url.text : readSecret(url));
  switch (target.kind) {
    case 'slack':
    case 'teams':
    case 'discord':
    case 'googleChat':
      return chats[target.kind]({ name, url: readUrl(target.url), publicUrl }, clock);
    case 'slackBot': {
      const { channel, apiUrl } = target;
      const token = readSecret(target.token);
      return createSlackBotSink({ name, token, channel, apiUrl, publicUrl }, memoryOf(name), clock);
    }
    case 'webhook':
    case 'cloudEvents': {
      const secret = target.secret === undefined ? undefined : readSecret(target.secret);
      const url = readUrl(target.url);
      return target.kind === 'webhook'
        ? createWebhookSink({ name, url, secret }, clock)
        : createCloudEventsSink({ name, url, secret, publicUrl }, clock);
    }
    case 'revert': {
      const token = readSecret(target.token);
      return createRevertSink({ ...target, token, publicUrl }, dependencies.pushRevert, clock);
    }
    case 'commitStatus':
      return createCommitStatusSink(
        { ...target, token: readSecret(target.token), publicUrl },
        clock,
      );
  }
}

const chats = {
  slack: createSlackSink,
  teams: createTeamsSink,
  discord: createDiscordSink,
  googleChat: createGoogleChatSink,
} as const;

/**
 * What a target hears. That a commit is valid is news for the commit and for programs; a chat would drown
 * in it, and hears it only by name.
 */
export function audienceOf({
  name,
  kind,
  events,
  meshes,
  services,
  minSeverity,
}: NotificationTarget): Audience {
  const isQuiet = kind !== 'commitStatus' && kind !== 'webhook' && kind !== 'cloudEvents';
  const unheard = isQuiet && events === undefined ? (['revision.accepted'] as const) : [];
  return { name, events, meshes, services, minSeverity, unheard };
}
