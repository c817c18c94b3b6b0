/**
 * Announcements as one embed of a Discord webhook (discord.com/developers, "Execute Webhook" and "Embed
 * Limits"). Nobody is pinged, whatever stands in a commit's title.
 */
import type { Announcement } from '../loop/events.js';
import type { Clock } from '../loop/ports.js';
import { type ChatTarget, createChatSink } from './chat-sink.js';
import { sinkUrl } from './http-exchange.js';
import type { Sink } from './sink.js';
import { authorOf, cutTo, linkOf, markedTitle } from './words.js';

/** Discord's own limits are 256, 4096, 25 fields of 256 and 1024, and 6,000 in all, which these keep. */
const titleMax = 256;
const textMax = 2_000;
const fieldsMax = 10;
const fieldNameMax = 80;
const fieldValueMax = 250;
const footerMax = 200;

/** RGB as one number. */
const colorOf: Readonly<Record<Announcement['severity'], number>> = {
  info: 0x2e_a0_43,
  warning: 0xd2_99_22,
  error: 0xda_36_33,
};

export function createDiscordSink(target: ChatTarget, clock: Clock): Sink {
  const form = { render: renderDiscord, contentType: 'application/json' };
  return createChatSink(target, sinkUrl(target.url, target.name), form, clock);
}

/** The message's body, plain JSON. */
export function renderDiscord(announcement: Announcement, publicUrl?: string): object {
  const { severity, text, facts, rollout, atMs } = announcement;
  const link = linkOf(announcement, publicUrl);
  const more = facts.length - fieldsMax;
  const footer = [rollout ?? '', authorOf(announcement)].filter((part) => part !== '').join(' · ');
  return {
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: cutTo(markedTitle(announcement), titleMax, escaped),
        description: cutTo(text, textMax, escaped),
        url: link?.url,
        color: colorOf[severity],
        fields: [
          ...facts.slice(0, fieldsMax).map((fact) => ({
            name: cutTo(fact.title, fieldNameMax, escaped),
            value: cutTo(fact.value, fieldValueMax, escaped),
          })),
          ...(more > 0 ? [{ name: '…', value: `and ${more} more` }] : []),
        ],
        footer: { text: cutTo(footer, footerMax) },
        timestamp: new Date(atMs).toISOString(),
      },
    ],
  };
}

/** Markdown of a commit's title shows as it was written. */
function escaped(character: string): string {
  return /[\\[\]*_~`|>#@<]/.test(character) ? `\\${character}` : character;
}
