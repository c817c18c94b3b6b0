/**
 * Announcements by a Slack app with a bot token (`chat:write`): one message a rollout, edited to show how
 * it stands, with what happened below it as its thread (docs.slack.dev, `chat.postMessage` and
 * `chat.update`). The ends of a rollout are shown in the channel, too.
 */
import { OpError, type Retry } from '../base/op-error.js';
import type { Announcement } from '../loop/events.js';
import type { Clock } from '../loop/ports.js';
import { exchange, sinkUrl } from './http-exchange.js';
import type { Sink, SinkMemory } from './sink.js';
import { renderSlack } from './slack.js';

export interface SlackBotTarget {
  readonly name: string;
  readonly token: string;
  readonly channel: string;
  /** `https://slack.com/api`. */
  readonly apiUrl: string;
  readonly publicUrl?: string;
}

/** Who does not watch the thread wants to hear of these. */
const broadcast: ReadonlySet<Announcement['event']> = new Set([
  'rollout.succeeded',
  'rollout.rolledBack',
  'rollout.aborted',
  'rollout.waitingForApproval',
] as const);

/** Errors of Slack's that pass by themselves; all others need a person. */
const passing: ReadonlySet<string> = new Set([
  ...['ratelimited', 'rate_limited', 'internal_error', 'fatal_error', 'service_unavailable'],
  ...['request_timeout', 'team_added_to_org'],
]);

/** The message that was to be edited is gone: a new one takes its place. */
const gone: ReadonlySet<string> = new Set(['message_not_found', 'thread_not_found']);

export function createSlackBotSink(target: SlackBotTarget, memory: SinkMemory, clock: Clock): Sink {
  const { name, token, channel, publicUrl } = target;
  const base = sinkUrl(target.apiUrl, name);
  const ask = async (method: string, body: object): Promise<SlackAnswer> => {
    const text = await exchange(
      {
        method: 'POST',
        url: new URL(`${base.pathname.replace(/\/$/, '')}/${method}`, base),
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json; charset=utf-8',
        },
        body: JSON.stringify({ channel, ...body }),
        secret: token,
      },
      clock,
    );
    return readAnswer(text);
  };
  return {
    name,
    render: (announcement) => ({ channel, ...renderSlack(announcement, publicUrl) }),
    send: async (announcement) => {
      const message = renderSlack(announcement, publicUrl);
      const { rollout } = announcement;
      const known = rollout === undefined ? undefined : await memory.get(rollout);
      if (rollout === undefined || known === undefined) {
        const { ts } = checked(await ask('chat.postMessage', message));
        if (rollout !== undefined && ts !== undefined) {
          await memory.set(rollout, ts);
        }
        return;
      }
      // Edited first: an edit may be repeated harmlessly where what follows it fails.
      const edited = await ask('chat.update', { ts: known, ...message });
      if (gone.has(edited.error ?? '')) {
        const { ts } = checked(await ask('chat.postMessage', message));
        await memory.set(rollout, ts ?? known);
        return;
      }
      checked(edited);
      const isLoud = broadcast.has(announcement.event);
      checked(
        await ask('chat.postMessage', { thread_ts: known, reply_broadcast: isLoud, ...message }),
      );
    },
  };
}

interface SlackAnswer {
  readonly ok: boolean;
  readonly error?: string;
  /** The message's id in its channel. */
  readonly ts?: string;
}

/** Slack answers 200 to everything; what became of the call stands in the body. */
function readAnswer(text: string): SlackAnswer {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const { ok, error, ts } = (value ?? {}) as { ok?: unknown; error?: unknown; ts?: unknown };
  if (typeof ok !== 'boolean') {
    throw new OpError('notify-unreadable', 'the answer is none of Slack');
  }
  return {
    ok,
    error: ok ? undefined : String(error).slice(0, 100),
    ts: typeof ts === 'string' ? ts : undefined,
  };
}

function checked(answer: SlackAnswer): SlackAnswer {
  if (answer.ok) {
    return answer;
  }
  const error = answer.error ?? 'unknown error';
  const retry: Retry = passing.has(error) ? { kind: 'backoff' } : { kind: 'stalled' };
  throw new OpError('notify-refused', `Slack says ${error}`, { retry });
}
