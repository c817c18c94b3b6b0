/** Which announcements are stored for whom, and what is read back. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { notificationsFor, readAnnouncement } from '../../controller/notify/notification.js';
import { announcement } from './announcements.js';

const test = suite('stored notifications');

test('an announcement is stored once for each audience that wants it', () => {
  const told = (changes: Parameters<typeof announcement>[0]) =>
    notificationsFor(announcement(changes), [
      { name: 'all' },
      { name: 'errors', minSeverity: 'error' },
      { name: 'warnings', minSeverity: 'warning' },
      { name: 'shop', meshes: ['shop'] },
      { name: 'starts', events: ['rollout.started'] },
    ]).map((notification) => notification.sink);
  assert.equal(told({}), ['all', 'errors', 'warnings', 'shop']);
  assert.equal(told({ severity: 'warning', mesh: 'bank' }), ['all', 'warnings']);
  assert.equal(told({ severity: 'info', event: 'rollout.started' }), ['all', 'shop', 'starts']);
});

test('who asks for services hears of rollouts that are about one of them, and of commits', () => {
  const told = (changes: Parameters<typeof announcement>[0]) =>
    notificationsFor(announcement(changes), [{ name: 'team', services: ['reviews', 'ads'] }])
      .length;
  assert.is(told({ services: ['reviews', 'reviews-v2'] }), 1);
  assert.is(told({ services: ['shop-front', 'ads'] }), 1);
  assert.is(told({ services: ['checkout', 'checkout-v2'] }), 0);
  assert.is(told({ event: 'revision.rejected', mesh: '', rollout: undefined }), 1);
});

test('a rejected revision concerns every mesh', () => {
  const rejected = announcement({ event: 'revision.rejected', mesh: '', rollout: undefined });
  const [notification] = notificationsFor(rejected, [{ name: 'shop', meshes: ['shop'] }]);
  assert.is(notification?.topic, 'revisions');
});

test('the end of a rollout is never expendable, its progress is', () => {
  const isExpendable = (event: ReturnType<typeof announcement>['event']) =>
    notificationsFor(announcement({ event }), [{ name: 'chat' }])[0]?.expendable;
  assert.is(isExpendable('rollout.started'), true);
  assert.is(isExpendable('rollout.rolledBack'), false);
  assert.is(isExpendable('rollout.succeeded'), false);
  assert.is(isExpendable('revision.rejected'), false);
});

test('what was stored is read back as it was', () => {
  const original = announcement();
  const [notification] = notificationsFor(original, [{ name: 'chat' }]);
  assert.is(notification?.id, original.id);
  assert.is(notification?.topic, 'reviews-7');
  assert.is(notification?.createdAtMs, original.atMs);
  assert.equal(readAnnouncement(notification?.json ?? ''), original);
});

test('what no version of ours stored is not read', () => {
  const { revision, ...rest } = announcement();
  for (const json of [
    'no json',
    'null',
    '7',
    '{}',
    JSON.stringify(rest),
    JSON.stringify({ ...announcement(), severity: 'toString' }),
    JSON.stringify({ ...announcement(), facts: [null] }),
    JSON.stringify({ ...rest, revision: { id: revision.id } }),
  ]) {
    assert.is(readAnnouncement(json), undefined, json);
  }
});

test.run();
