/** Templates of messages: what may stand in them, what becomes of it, and that it stays text in every chat. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfigFile } from '../../controller/config/file.js';
import { type MessageTemplates, templateFields } from '../../controller/config/templates.js';
import { renderDiscord } from '../../controller/notify/discord.js';
import { renderGoogleChat } from '../../controller/notify/google-chat.js';
import { renderSlack } from '../../controller/notify/slack.js';
import { renderTeams } from '../../controller/notify/teams.js';
import { inWordsOf } from '../../controller/notify/template.js';
import { announcement } from './announcements.js';

const test = suite('templates of messages');

/** The templates of a file whose only target has `templates`, and what is wrong with them. */
function read(templates: unknown) {
  const target = { name: 'a', urlFile: 'f', templates };
  const file = parseConfigFile('c.yaml', JSON.stringify({ notifications: { slack: [target] } }));
  const [first] = file.notifications;
  const found = first !== undefined && 'templates' in first ? first.templates : undefined;
  return { templates: found, problems: file.problems.map(({ message }) => message) };
}

/** Title and text of the usual rollback in the words of `templates`. */
function words(templates: unknown, changes: Parameters<typeof announcement>[0] = {}) {
  const { templates: found, problems } = read(templates);
  assert.equal(problems, []);
  const { title, text } = inWordsOf(found ?? {}, announcement(changes));
  return { title, text };
}

test('fields are replaced, and what is left out stays as it is', () => {
  const title = '{{service}} of {{ mesh }}: {{event}}';
  const said = words({ 'rollout.rolledBack': { title } }, { services: ['reviews', 'reviews-v2'] });
  assert.equal(said, { title: 'reviews of shop: rollout.rolledBack', text: announcement().text });
});

test('every field has a value of its own, the one that the documentation tells', () => {
  const changes = {
    services: ['reviews', 'reviews-v2'],
    revision: { ...announcement().revision, repository: 'payments' },
  };
  const values = Object.keys(templateFields).map((field) => {
    const { text } = words({ default: { text: `{{${field}}}` } }, changes);
    return `${field}=${text}`;
  });
  assert.equal(values, [
    'title=shop: reviews rolled back',
    'reason=gate errors failed: success rate 70.97% < 99% (31 requests, 6s)',
    'event=rollout.rolledBack',
    'severity=error',
    'mesh=shop',
    'service=reviews',
    'services=reviews, reviews-v2',
    'rollout=reviews-7',
    'facts=reviews-v2: 0 % (applied 0 %, desired 100 %)',
    'commit=4f1c2d3e4f1c',
    'subject=Send reviews to v2',
    'author=Ada Example',
    'repository=payments',
    'time=2023-11-14 22:13 UTC',
  ]);
  const page = readFileSync('docs/notifications.md', 'utf8');
  for (const [field, says] of Object.entries(templateFields)) {
    assert.ok(page.includes(`| \`${field}\` | ${says} |`), `docs/notifications.md: ${field}`);
  }
});

test('the template of an event comes before the default', () => {
  const templates = {
    'rollout.rolledBack': { title: 'own' },
    default: { title: 'any', text: 'x' },
  };
  assert.equal(words(templates), { title: 'own', text: announcement().text });
  assert.equal(words(templates, { event: 'rollout.paused' }), { title: 'any', text: 'x' });
});

test('what is filled in is not looked at again', () => {
  const title = '{{author}} {{constructor}} $& $1';
  assert.is(words({ default: { title: '{{title}}' } }, { title }).title, title);
});

test('an unknown field is refused with the nearest and all that are allowed', () => {
  const { problems } = read({ default: { title: '{{servise}}', text: '{{__proto__}}' } });
  const names = Object.keys(templateFields).join(', ');
  assert.equal(problems, [
    `notifications.slack[0].templates.default.title has the unknown field {{servise}}; ` +
      `did you mean {{service}}? allowed are ${names}`,
    `notifications.slack[0].templates.default.text has the unknown field {{__proto__}}; ` +
      `allowed are ${names}`,
  ]);
});

for (const [what, templates, expected] of [
  ['braces without a field', { default: { title: 'a {{ b' } }, 'belong to no field'],
  ['an event that there is none of', { 'rollout.rolledback': { title: 'a' } }, 'did you mean'],
  ['a key that there is none of', { default: { body: 'a' } }, 'known are title, text'],
  ['a template without anything', { default: {} }, 'is no mapping with title, text or both'],
  ['a title that is no text', { default: { title: 7 } }, 'is no text of at most'],
  ['a text without end', { default: { text: 'a'.repeat(3_000) } }, 'is no text of at most'],
  ['a list', [], 'is no mapping of events'],
] as const) {
  test(`${what} is refused`, () => {
    assert.match(read(templates).problems.join('\n'), expected);
  });
}

test('templates are of chats alone', () => {
  const target = { name: 'a', url: 'https://a.example', templates: {} };
  const text = JSON.stringify({ notifications: { webhooks: [target] } });
  assert.match(
    parseConfigFile('c.yaml', text).problems[0]?.message ?? '',
    'templates is not known',
  );
});

test('neither a template nor what it is filled with becomes markup, in any chat, nor too long', () => {
  const markup = '[click](https://evil.example) <!channel> @everyone <b>x</b>';
  const templates: MessageTemplates = {
    default: { title: [markup, { field: 'title' }], text: [markup, { field: 'reason' }] },
  };
  const huge = announcement({ title: markup.repeat(500), text: markup.repeat(5_000) });
  const said = inWordsOf(templates, huge);
  const { fallbackText: _, ...card } = renderGoogleChat(said) as { fallbackText: string };
  const bodies = [renderSlack(said), renderTeams(said), renderDiscord(said)].map(asText);
  const [slack = '', teams = '', discord = ''] = bodies;
  assert.not.match(slack, '<!channel>');
  assert.not.match(teams, /[^\\]\[click\]\(/);
  assert.not.match(discord, /[^\\]\[click\]\(/);
  assert.match(discord, '"allowed_mentions":{"parse":[]}');
  assert.not.match(
    asText((card as { cardsV2: [{ card: { sections: object } }] }).cardsV2[0].card.sections),
    '<b>',
  );
  assert.ok([...bodies, asText(card)].every((body) => body.length < 28_000));
});

function asText(body: object): string {
  return JSON.stringify(body);
}

test.run();
