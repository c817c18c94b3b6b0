/**
 * Announcements as JSON for a program of the operator's. The body is signed where a secret is set, in
 * the form of Flux's generic HMAC provider: `X-Signature: sha256=<hexadecimal HMAC of the bytes sent>`.
 * Delivery is at least once: `Idempotency-Key` is the same for each attempt at one announcement.
 */
import { createHmac } from 'node:crypto';
import { printable } from '../base/printable.js';
import type { Announcement } from '../loop/events.js';
import type { Clock } from '../loop/ports.js';
import { post, sinkUrl } from './http-exchange.js';
import type { Sink } from './sink.js';

/** Envoy's errors, of which the text may be made, can run to many pages. */
const textMax = 4_000;

export interface WebhookTarget {
  readonly name: string;
  readonly url: string;
  /** Undefined: the body is not signed. */
  readonly secret?: string;
}

export function createWebhookSink(target: WebhookTarget, clock: Clock): Sink {
  const url = sinkUrl(target.url, target.name);
  return {
    name: target.name,
    render: renderWebhook,
    send: (announcement) => {
      const body = JSON.stringify(renderWebhook(announcement));
      const headers = {
        'content-type': 'application/json',
        // A header is ASCII; the ids of usual names stay as they are.
        'idempotency-key': encodeURI(announcement.id),
        ...(target.secret === undefined ? {} : { 'x-signature': signature(body, target.secret) }),
      };
      return post({ url, headers, body }, clock);
    },
  };
}

/** The body, plain JSON. Members are only ever added. */
export function renderWebhook(announcement: Announcement): object {
  const { id, event, severity, mesh, rollout, revision, title, text, facts, atMs } = announcement;
  return {
    id,
    event,
    severity,
    at: new Date(atMs).toISOString(),
    mesh,
    rollout,
    revision: {
      repository: revision.repository,
      id: revision.id,
      author: revision.author,
      title: revision.title,
    },
    title: shortened(title),
    text: shortened(text),
    facts: facts.map((fact) => ({
      title: shortened(fact.title),
      value: shortened(fact.value),
    })),
  };
}

/** The value of `X-Signature` for `body`. */
export function signature(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** A character outside the basic plane is left out whole: half of one is no valid JSON text. */
function shortened(text: string): string {
  return printable(text)
    .slice(0, textMax)
    .replace(/[\ud800-\udbff]$/, '');
}
