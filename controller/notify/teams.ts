/**
 * Announcements for Microsoft Teams: an Adaptive Card 1.4 (Teams' ceiling) posted to the URL of a Workflow
 * ("When a Teams webhook request is received"). Office 365 connectors were shut down in 2026, so their URLs
 * are refused. A 2xx says only that the flow has started.
 */
import { OpError } from '../base/op-error.js';
import type { Announcement } from '../loop/events.js';
import type { Clock } from '../loop/ports.js';
import { type ChatTarget, createChatSink } from './chat-sink.js';
import { sinkUrl } from './http-exchange.js';
import type { Sink } from './sink.js';
import { authorOf, cutTo, linkOf, markedTitle } from './words.js';

/** Teams takes 28 KB in all; these sum to less than that in the worst case of four-byte characters. */
const titleMax = 300;
const textMax = 2_000;
const factsMax = 8;
const factTitleMax = 60;
const factValueMax = 250;

const colorOf: Readonly<Record<Announcement['severity'], string>> = {
  info: 'Good',
  warning: 'Warning',
  error: 'Attention',
};

export function createTeamsSink(target: ChatTarget, clock: Clock): Sink {
  const url = sinkUrl(target.url, target.name);
  if (url.hostname.endsWith('.webhook.office.com') || url.hostname === 'outlook.office.com') {
    throw new OpError(
      'notify-url',
      `the URL of notification target ${target.name} is one of an Office 365 connector, which Microsoft ` +
        'has shut down; make a Workflow "When a Teams webhook request is received" and use its URL',
      { retry: { kind: 'stalled' } },
    );
  }
  const form = { render: renderTeams, contentType: 'application/json' };
  return createChatSink(target, url, form, clock);
}

/** The message's body, plain JSON. */
export function renderTeams(announcement: Announcement, publicUrl?: string): object {
  const { severity, text, facts, rollout } = announcement;
  const link = linkOf(announcement, publicUrl);
  const more = facts.length - factsMax;
  const shown = [
    ...facts.slice(0, factsMax).map((fact) => ({
      title: cutTo(fact.title, factTitleMax, escaped),
      value: cutTo(fact.value, factValueMax, escaped),
    })),
    ...(more > 0 ? [{ title: '…', value: `and ${more} more` }] : []),
    ...(rollout === undefined ? [] : [{ title: 'rollout', value: cutTo(rollout, 200, escaped) }]),
    { title: 'author', value: cutTo(authorOf(announcement), factValueMax, escaped) },
  ];
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      {
        type: 'TextBlock',
        size: 'Large',
        weight: 'Bolder',
        wrap: true,
        color: colorOf[severity],
        text: cutTo(markedTitle(announcement), titleMax, escaped),
      },
      ...(text.trim() === ''
        ? []
        : [{ type: 'TextBlock', wrap: true, text: cutTo(text, textMax, escaped) }]),
      { type: 'FactSet', facts: shown },
    ],
    actions:
      link === undefined ? [] : [{ type: 'Action.OpenUrl', title: link.label, url: link.url }],
    msteams: { width: 'Full' },
  };
  return {
    type: 'message',
    attachments: [
      { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content },
    ],
  };
}

/** Cards read a subset of Markdown, links among it: a commit's title must not become one. */
function escaped(character: string): string {
  return /[\\[\]*_`]/.test(character) ? `\\${character}` : character;
}
