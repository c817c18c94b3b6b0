/**
 * Announcements in the operator's words: a sink whose messages have the title and the text that templates
 * say. What comes out is an announcement again, so the sink escapes it and cuts it to the limits of its chat
 * like any other: neither a template nor what is filled in becomes markup, a link or a mention.
 */
import type { MessageTemplates, Template, TemplateField } from '../config/templates.js';
import type { Announcement } from '../loop/events.js';
import type { Sink } from './sink.js';
import { authorOf } from './words.js';

/** `sink`, told everything in the words of `templates`. */
export function withTemplates(sink: Sink, templates: MessageTemplates): Sink {
  return {
    name: sink.name,
    send: (announcement) => sink.send(inWordsOf(templates, announcement)),
    render: (announcement) => sink.render(inWordsOf(templates, announcement)),
  };
}

/** `announcement` itself where no template is for its event. */
export function inWordsOf(templates: MessageTemplates, announcement: Announcement): Announcement {
  const { event } = announcement;
  const template = Object.hasOwn(templates, event) ? templates[event] : templates.default;
  return {
    ...announcement,
    title: fill(template?.title, announcement) ?? announcement.title,
    text: fill(template?.text, announcement) ?? announcement.text,
  };
}

function fill(template: Template | undefined, announcement: Announcement): string | undefined {
  return template
    ?.map((part) => (typeof part === 'string' ? part : textOf[part.field](announcement)))
    .join('');
}

const textOf: Readonly<Record<TemplateField, (announcement: Announcement) => string>> = {
  title: ({ title }) => title,
  reason: ({ text }) => text,
  event: ({ event }) => event,
  severity: ({ severity }) => severity,
  mesh: ({ mesh }) => mesh,
  service: ({ services }) => services?.[0] ?? '',
  services: ({ services }) => services?.join(', ') ?? '',
  rollout: ({ rollout }) => rollout ?? '',
  facts: ({ facts }) => facts.map(({ title, value }) => `${title}: ${value}`).join('; '),
  commit: ({ revision }) => revision.id.slice(0, 12),
  subject: ({ revision }) => revision.title,
  author: authorOf,
  repository: ({ revision }) => revision.repository ?? '',
  time: ({ atMs }) => `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`,
};
