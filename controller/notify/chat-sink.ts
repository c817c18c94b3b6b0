/** A sink that posts each announcement as one JSON body to one URL: every chat's incoming webhook. */
import type { Announcement } from '../loop/events.js';
import type { Clock } from '../loop/ports.js';
import { post } from './http-exchange.js';
import type { Sink } from './sink.js';

export interface ChatTarget {
  readonly name: string;
  /** Itself the secret. */
  readonly url: string;
  /** Where people reach the dashboard. */
  readonly publicUrl?: string;
}

export interface ChatForm {
  readonly render: (announcement: Announcement, publicUrl?: string) => object;
  readonly contentType: string;
}

/** `url` is that of `target`, checked. */
export function createChatSink(
  { name, publicUrl }: ChatTarget,
  url: URL,
  { render, contentType }: ChatForm,
  clock: Clock,
): Sink {
  return {
    name,
    render: (announcement) => render(announcement, publicUrl),
    send: (announcement) => {
      const body = JSON.stringify(render(announcement, publicUrl));
      return post({ url, headers: { 'content-type': contentType }, body }, clock);
    },
  };
}
