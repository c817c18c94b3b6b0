/**
 * Announcements for a Google Chat webhook: a card (developers.google.com/workspace/chat, `cardsV2`), the
 * messages of one rollout in one thread.
 */
import type { Announcement } from '../loop/events.js';
import type { Clock } from '../loop/ports.js';
import { type ChatTarget, createChatSink } from './chat-sink.js';
import { sinkUrl } from './http-exchange.js';
import type { Sink } from './sink.js';
import { authorOf, cutTo, linkOf, markedTitle } from './words.js';

/** A message is at most 32,000 bytes; these keep below it. */
const titleMax = 200;
const textMax = 2_000;
const factsMax = 10;
const factTitleMax = 80;
const factValueMax = 400;

export function createGoogleChatSink(target: ChatTarget, clock: Clock): Sink {
  const url = sinkUrl(target.url, target.name);
  url.searchParams.set('messageReplyOption', 'REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD');
  const form = { render: renderGoogleChat, contentType: 'application/json; charset=UTF-8' };
  return createChatSink(target, url, form, clock);
}

/** The message's body, plain JSON. */
export function renderGoogleChat(announcement: Announcement, publicUrl?: string): object {
  const { id, text, facts, rollout } = announcement;
  const link = linkOf(announcement, publicUrl);
  const more = facts.length - factsMax;
  const subtitle = [rollout ?? '', authorOf(announcement)].filter((part) => part !== '');
  const widgets = [
    ...(text.trim() === '' ? [] : [{ textParagraph: { text: cutTo(text, textMax, escaped) } }]),
    ...facts.slice(0, factsMax).map((fact) => ({
      decoratedText: {
        topLabel: cutTo(fact.title, factTitleMax, escaped),
        text: cutTo(fact.value, factValueMax, escaped),
        wrapText: true,
      },
    })),
    ...(more > 0 ? [{ textParagraph: { text: `and ${more} more` } }] : []),
    ...(link === undefined
      ? []
      : [
          {
            buttonList: {
              buttons: [{ text: link.label, onClick: { openLink: { url: link.url } } }],
            },
          },
        ]),
  ];
  const header = {
    title: cutTo(markedTitle(announcement), titleMax),
    subtitle: cutTo(subtitle.join(' · '), titleMax),
  };
  return {
    // Read where cards are not shown: notifications and small watches.
    fallbackText: header.title,
    cardsV2: [
      {
        cardId: id,
        card: { header, ...(widgets.length === 0 ? {} : { sections: [{ widgets }] }) },
      },
    ],
    thread: { threadKey: rollout ?? 'revisions' },
  };
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Texts of cards may hold a few HTML tags; those of a commit's title are shown. */
function escaped(character: string): string {
  return escapes[character] ?? character;
}
