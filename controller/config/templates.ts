/**
 * Templates of chat messages: the operator's own words for what happened, with named fields in them, as
 * `{{service}} is back on the old version`. There is nothing to execute: a field is replaced by its text, once,
 * and what is put in is not looked at again. They are read here, at the start, so that a field that nobody
 * knows stops the program then and no message later.
 */
import { nearestName } from '../base/nearest-name.js';
import { isSection, type ReportKey, reportUnknownKeys, type Section } from './keys.js';

/** Every field, with what it says; empty where the news has no such thing. `notify/template.ts` fills them. */
export const templateFields = {
  title: 'what the message would say by itself, as `shop: reviews rolled back`',
  reason: 'why, with the figures that decided',
  event: 'the event, as `rollout.rolledBack`',
  severity: '`info`, `warning` or `error`',
  mesh: 'the mesh; empty for news of a whole commit',
  service: 'what the rollout is about, as the name of the router',
  services: 'that, and every other resource that changes, with commas between',
  rollout: 'the rollout, as `reviews-7`',
  facts: 'shares, gates and the commit, as `reviews-v2: 0 % (applied 0 %, desired 100 %); …`',
  commit: 'the first 12 characters of the commit',
  subject: "the first line of the commit's message",
  author: "the commit's author, without the address",
  repository: 'which of several repositories; empty where there is one',
  time: 'when it happened, as `2026-11-29 14:05 UTC`',
} as const;

export type TemplateField = keyof typeof templateFields;

/** Literal texts, and fields to be replaced. */
export type Template = readonly (string | { readonly field: TemplateField })[];

/** A message in the operator's words. What is left out stays as it is. */
export interface MessageTemplate {
  readonly title?: Template;
  readonly text?: Template;
}

/** By event; `default` is for events without their own. */
export type MessageTemplates = Readonly<Record<string, MessageTemplate>>;

/** The key for events that have no template of their own. */
export const defaultTemplate = 'default';

/** Longer ones would be cut by every chat. */
const lengthMax = 2_000;

/** The section `templates` of a chat target; what cannot be used is reported and left out. */
export function readTemplates(
  path: string,
  value: unknown,
  events: readonly string[],
  report: ReportKey,
): MessageTemplates | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (!isSection(value)) {
    report(path, `is no mapping of events, as rollout.rolledBack, or ${defaultTemplate}`);
    return undefined;
  }
  const keys = [...events, defaultTemplate];
  reportUnknownKeys(path, value, keys, report);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([event]) => keys.includes(event))
      .map(([event, message]) => [event, readMessage(`${path}.${event}`, message, report)]),
  );
}

function readMessage(path: string, value: unknown, report: ReportKey): MessageTemplate {
  if (!isSection(value) || Object.keys(value).length === 0) {
    report(path, 'is no mapping with title, text or both');
    return {};
  }
  reportUnknownKeys(path, value, ['title', 'text'], report);
  return {
    title: readText(`${path}.title`, value, 'title', report),
    text: readText(`${path}.text`, value, 'text', report),
  };
}

function readText(
  path: string,
  message: Section,
  key: string,
  report: ReportKey,
): Template | undefined {
  const text = message[key];
  if (text === undefined) {
    return undefined;
  }
  if (typeof text !== 'string' || text.trim() === '' || text.length > lengthMax) {
    report(path, `is no text of at most ${lengthMax} characters`);
    return undefined;
  }
  return parseTemplate(path, text, report);
}

/** `{{field}}`, white space within allowed; every other pair of braces is a mistake that is reported. */
function parseTemplate(path: string, text: string, report: ReportKey): Template {
  // Split at a pattern with one group: literal texts at even places, names of fields at odd ones.
  return text.split(/\{\{([^{}]*)\}\}/).flatMap((part, index): Template => {
    const isField = index % 2 === 1;
    if (isField) {
      const name = part.trim();
      if (isTemplateField(name)) {
        return [{ field: name }];
      }
      const names = Object.keys(templateFields);
      const nearest = nearestName(name, names);
      const hint = nearest === undefined ? '' : `did you mean {{${nearest}}}? `;
      report(path, `has the unknown field {{${name}}}; ${hint}allowed are ${names.join(', ')}`);
      return [];
    }
    if (/\{\{|\}\}/.test(part)) {
      report(path, 'has {{ or }} that belong to no field; a field is written {{name}}');
    }
    return part === '' ? [] : [part];
  });
}

function isTemplateField(name: string): name is TemplateField {
  return Object.hasOwn(templateFields, name);
}
