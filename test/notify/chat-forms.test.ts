/** Teams, Discord, Google Chat and CloudEvents: golden messages, limits, and text that stays text. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Announcement } from '../../controller/loop/events.js';
import { createCloudEventsSink, renderCloudEvent } from '../../controller/notify/cloud-events.js';
import { createDiscordSink, renderDiscord } from '../../controller/notify/discord.js';
import { createGoogleChatSink, renderGoogleChat } from '../../controller/notify/google-chat.js';
import { createTeamsSink, renderTeams } from '../../controller/notify/teams.js';
import { signature } from '../../controller/notify/webhook.js';
import { manualClock } from '../support/clock.js';
import { assertGolden, goldenCases } from '../support/golden.js';
import { announcement } from './announcements.js';
import { startChatServer } from './chat-server.js';

const test = suite('forms of chats');

const publicUrl = 'https://headgate.example';

const forms = {
  'notify-teams': renderTeams,
  'notify-discord': renderDiscord,
  'notify-google-chat': renderGoogleChat,
  'notify-cloud-events': renderCloudEvent,
} as const;

for (const [folder, render] of Object.entries(forms)) {
  for (const { name, path } of goldenCases(folder)) {
    test(`${folder}: ${name} renders as its golden file says`, () => {
      const input = JSON.parse(readFileSync(join(path, 'in.json'), 'utf8')) as Announcement;
      assertGolden(join(path, 'out.json'), JSON.stringify(render(input, publicUrl), undefined, 2));
    });
  }
}

const huge = '\u{1f6a6}&[]'.repeat(100_000);
const largest = announcement({
  title: huge,
  text: huge,
  rollout: `reviews-${'7'.repeat(500)}`,
  facts: Array.from({ length: 60 }, () => ({ title: huge, value: huge })),
  revision: { id: 'c', author: huge, title: huge, committedAtMs: 0 },
});

test('the largest message stays below the limit of its chat, in bytes', () => {
  assert.ok(bytesOf(renderTeams(largest, publicUrl)) < 28_000);
  assert.ok(bytesOf(renderGoogleChat(largest, publicUrl)) < 32_000);
});

test('the largest embed keeps each of the limits of Discord', () => {
  const { embeds } = renderDiscord(largest, publicUrl) as {
    embeds: { title: string; description: string; fields: Field[]; footer: { text: string } }[];
  };
  const [embed] = embeds;
  assert.ok(embed !== undefined);
  const { title, description, fields, footer } = embed;
  assert.ok(title.length <= 256 && description.length <= 4096 && fields.length <= 25);
  assert.ok(fields.every(({ name, value }) => name.length <= 256 && value.length <= 1024));
  const texts = [
    title,
    description,
    footer.text,
    ...fields.flatMap(({ name, value }) => [name, value]),
  ];
  assert.ok(texts.join('').length <= 6000);
});

test('what an author writes becomes no link, no mention and no markup', () => {
  const title = '[click](https://evil.example) @everyone <b>x</b> *y*';
  const hostile = announcement({ title, text: title, facts: [{ title, value: title }] });
  const teams = JSON.stringify(renderTeams(hostile));
  const discord = JSON.stringify(renderDiscord(hostile));
  const chat = JSON.stringify(
    (renderGoogleChat(hostile) as { cardsV2: { card: { sections: unknown } }[] }).cardsV2.map(
      ({ card }) => card.sections,
    ),
  );
  assert.not.match(teams, /[^\\]\[click\]\(/);
  assert.not.match(discord, /[^\\]\[click\]\(/);
  assert.match(discord, '"allowed_mentions":{"parse":[]}');
  assert.not.match(chat, '<b>');
});

test('each is posted as its server wants it', async () => {
  const server = await startChatServer();
  const clock = manualClock();
  const { url } = server;
  try {
    await createTeamsSink({ name: 't', url }, clock).send(announcement());
    await createDiscordSink({ name: 'd', url }, clock).send(announcement());
    await createGoogleChatSink({ name: 'g', url: `${url}?key=k` }, clock).send(announcement());
    await createCloudEventsSink({ name: 'e', url, secret: 'key' }, clock).send(announcement());
    const [teams, discord, chat, event] = server.requests;
    assert.is(teams?.headers['content-type'], 'application/json');
    assert.is(discord?.headers['content-type'], 'application/json');
    assert.match(chat?.path ?? '', 'key=k&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD');
    assert.match(event?.headers['content-type'] ?? '', 'application/cloudevents+json');
    assert.is(event?.headers['x-signature'], signature(event?.body ?? '', 'key'));
  } finally {
    await server.close();
  }
});

test('the URL of an Office 365 connector is refused with what to do', () => {
  const url = 'https://contoso.webhook.office.com/webhookb2/s3cret';
  assert.throws(
    () => createTeamsSink({ name: 'ops', url }, manualClock()),
    (error: Error) =>
      /target ops .*make a Workflow/.test(error.message) && !/s3cret/.test(error.message),
  );
});

interface Field {
  readonly name: string;
  readonly value: string;
}

function bytesOf(message: object): number {
  return Buffer.byteLength(JSON.stringify(message));
}

test.run();
