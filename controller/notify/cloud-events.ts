/**
 * Announcements as CloudEvents 1.0 in the structured mode of its HTTP binding, signed as webhooks are. The
 * type's last part is the version of the data's form; `id` is the same for each attempt at one event.
 */
import type { Announcement } from '../loop/events.js';
import type { Clock } from '../loop/ports.js';
import { post, sinkUrl } from './http-exchange.js';
import type { Sink } from './sink.js';
import { renderWebhook, signature, type WebhookTarget } from './webhook.js';

export function createCloudEventsSink(
  target: WebhookTarget & { readonly publicUrl?: string },
  clock: Clock,
): Sink {
  const url = sinkUrl(target.url, target.name);
  return {
    name: target.name,
    render: (announcement) => renderCloudEvent(announcement, target.publicUrl),
    send: (announcement) => {
      const body = JSON.stringify(renderCloudEvent(announcement, target.publicUrl));
      const headers = {
        'content-type': 'application/cloudevents+json; charset=UTF-8',
        ...(target.secret === undefined ? {} : { 'x-signature': signature(body, target.secret) }),
      };
      return post({ url, headers, body }, clock);
    },
  };
}

/** The event, plain JSON (CloudEvents 1.0.2, section 3.1; JSON format 1.0.2). */
export function renderCloudEvent(announcement: Announcement, publicUrl?: string): object {
  const { id, event, mesh, rollout, revision, atMs } = announcement;
  return {
    specversion: '1.0',
    id,
    // A URI-reference: the same controller says the same for ever.
    source: publicUrl ?? '/headgate',
    type: `dev.headgate.${event}.v1`,
    subject: rollout === undefined ? `revision/${revision.id}` : `${mesh}/${rollout}`,
    time: new Date(atMs).toISOString(),
    datacontenttype: 'application/json',
    data: renderWebhook(announcement),
  };
}
