/** Slack messages: golden cases, and the limits and escapes that keep a message from doing harm. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Announcement } from '../../controller/loop/events.js';
import { renderSlack, slackText } from '../../controller/notify/slack.js';
import { assertGolden, goldenCases } from '../support/golden.js';
import { announcement } from './announcements.js';

const test = suite('Slack messages');

for (const { name, path } of goldenCases('notify-slack')) {
  test(`${name} renders as its golden file says`, () => {
    const input = JSON.parse(readFileSync(join(path, 'in.json'), 'utf8')) as Announcement;
    assertGolden(join(path, 'out.json'), JSON.stringify(renderSlack(input), undefined, 2));
  });
}

test('text from outside can ping nobody and make no link', () => {
  const hostile =
    '<!channel> <@U123> <https://evil.example|click> @here @everyone @Channel! &lt; *bold*\n\u001b[31m';
  const body = JSON.stringify(
    renderSlack(
      announcement({
        title: hostile,
        text: hostile,
        facts: [{ title: hostile, value: hostile }],
        rollout: hostile,
        revision: { id: 'c', author: hostile, title: hostile, committedAtMs: 0 },
      }),
    ),
  );
  const sequences = [...body.matchAll(/<([^>]*)>/g)].map((match) => match[1]);
  assert.equal(sequences, ['!date^1700000000^{date_short_pretty} {time}|2023-11-14 22:13 UTC']);
  assert.not.match(body, /@(channel|here|everyone)/i);
  assert.match(body, '&amp;lt;');
  assert.not.match(body, '\\u001b');
});

test('an address of an author stays out of the chat', () => {
  assert.not.match(JSON.stringify(renderSlack(announcement())), 'ada@example.com');
});

test('a text is cut so that its escaped form fits and no character is torn', () => {
  assert.is(slackText('abcde', 5), 'abcde');
  assert.is(slackText('abcdef', 5), 'abcd…');
  assert.is(slackText('a<b', 6), 'a&lt;b');
  assert.is(slackText('a<bc', 6), 'a&lt;…');
  assert.is(slackText('a<<<', 8), 'a&lt;…');
  assert.is(slackText('\u{1f6a6}\u{1f6a6}', 3), '\u{1f6a6}…');
  assert.is(slackText('', 5), '');
});

test('every part of the largest message keeps to the limits of Slack', () => {
  const huge = '&'.repeat(1_000_000);
  const message = renderSlack(
    announcement({
      title: huge,
      text: huge,
      rollout: huge,
      facts: Array.from({ length: 50 }, () => ({ title: huge, value: huge })),
      revision: { id: 'c', author: huge, title: huge, committedAtMs: 0 },
    }),
  ) as SlackMessage;
  const [header, section, facts, context] = message.blocks;
  assert.is(message.blocks.length, 4);
  within(message.text, 300);
  within(header?.text?.text, 150);
  within(section?.text?.text, 3000);
  assert.is(facts?.fields?.length, 10);
  assert.is(facts?.fields?.at(-1)?.text, '… and 41 more');
  for (const field of facts?.fields ?? []) {
    within(field.text, 2000);
  }
  within(context?.elements?.[0]?.text, 2000);
});

test('an announcement without text and facts has no empty block', () => {
  const message = renderSlack(announcement({ text: '', facts: [] })) as SlackMessage;
  assert.equal(
    message.blocks.map((block) => block.type),
    ['header', 'context'],
  );
});

test.run();

interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly {
    readonly type: string;
    readonly text?: { readonly text: string };
    readonly fields?: readonly { readonly text: string }[];
    readonly elements?: readonly { readonly text: string }[];
  }[];
}

function within(text: string | undefined, lengthMax: number): void {
  const length = text?.length ?? 0;
  assert.ok(length > 0 && length <= lengthMax, `${length} characters, allowed 1 to ${lengthMax}`);
}
