/**
 * Announcements as messages of a Slack incoming webhook (docs.slack.dev, "Block Kit" and "Formatting
 * text"). Commit titles, authors and errors come from outside: nothing in them may ping a channel, make
 * a link or break the message, so everything is escaped and cut to Slack's limits here.
 */
import type { Announcement } from '../loop/events.js';
import type { Clock } from '../loop/ports.js';
import { type ChatTarget, createChatSink } from './chat-sink.js';
import { sinkUrl } from './http-exchange.js';
import type { Sink } from './sink.js';
import { authorOf, cutTo, type Link, linkOf, markedTitle } from './words.js';

/** Slack's own limits, in characters; a message over one of them is refused whole. */
const headerMax = 150;
const sectionMax = 3_000;
const fieldMax = 2_000;
const fieldsMax = 10;
const contextMax = 2_000;
/** Ours: the fallback is read in a notification's one line. */
const fallbackMax = 300;

export function createSlackSink(target: ChatTarget, clock: Clock): Sink {
  const form = { render: renderSlack, contentType: 'application/json; charset=utf-8' };
  return createChatSink(target, sinkUrl(target.url, target.name), form, clock);
}

/** The body of a message, plain JSON. */
export interface SlackMessage {
  readonly text: string;
  readonly unfurl_links: boolean;
  readonly unfurl_media: boolean;
  readonly blocks: readonly object[];
}

export function renderSlack(announcement: Announcement, publicUrl?: string): SlackMessage {
  const title = markedTitle(announcement);
  return {
    text: slackText(`${title}: ${announcement.text}`, fallbackMax),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      {
        type: 'header',
        text: { type: 'plain_text', text: slackText(title, headerMax), emoji: true },
      },
      ...section(announcement.text),
      ...factSection(announcement.facts),
      ...linkButton(linkOf(announcement, publicUrl)),
      { type: 'context', elements: [markdown(context(announcement))] },
    ],
  };
}

function section(text: string): readonly object[] {
  return text.trim() === ''
    ? []
    : [{ type: 'section', text: markdown(slackText(text, sectionMax)) }];
}

/** A button that opens a page: Slack asks nobody but the browser. */
function linkButton(link: Link | undefined): readonly object[] {
  return link === undefined
    ? []
    : [
        {
          type: 'actions',
          elements: [
            {
              type: 'button',
              text: { type: 'plain_text', text: link.label },
              url: link.url,
              action_id: 'open',
            },
          ],
        },
      ];
}

function factSection(facts: Announcement['facts']): readonly object[] {
  if (facts.length === 0) {
    return [];
  }
  const shown = facts.length > fieldsMax ? facts.slice(0, fieldsMax - 1) : facts;
  const fields = shown.map((fact) => {
    const title = `*${slackText(fact.title, headerMax)}*\n`;
    return markdown(title + slackText(fact.value, fieldMax - title.length));
  });
  const left = facts.length - shown.length;
  return [
    { type: 'section', fields: left > 0 ? [...fields, markdown(`… and ${left} more`)] : fields },
  ];
}

/** Rollout, author and the time of the event, which may be long before the message gets through. */
function context(announcement: Announcement): string {
  const { rollout, atMs } = announcement;
  const texts = [rollout, authorOf(announcement)].filter(
    (text) => text !== undefined && text !== '',
  );
  const time = new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
  const date = `<!date^${Math.floor(atMs / 1000)}^{date_short_pretty} {time}|${time} UTC>`;
  return [...texts.map((text) => slackText(String(text), contextMax / 4)), date].join(' · ');
}

/** `verbatim`: Slack then looks for no names, channels or addresses in the text by itself. */
function markdown(text: string): object {
  return { type: 'mrkdwn', text, verbatim: true };
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * `text` on one line, escaped, at most `lengthMax` UTF-16 units long after escaping. The words that
 * ping everybody get a zero-width space behind their `@`, whatever the workspace makes of plain names.
 */
export function slackText(text: string, lengthMax: number): string {
  const harmless = text.replace(/@(?=(?:everyone|channel|here|group)\b)/gi, '@\u200b');
  return cutTo(harmless, lengthMax, (character) => escapes[character] ?? character);
}
