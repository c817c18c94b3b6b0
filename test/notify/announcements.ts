/** Announcements for the tests of notification: a usual one, and whatever a test changes in it. */
import type { Announcement } from '../../controller/loop/events.js';

export function announcement(changes: Partial<Announcement> = {}): Announcement {
  return {
    id: 'reviews-7/rollout.rolledBack/1',
    event: 'rollout.rolledBack',
    severity: 'error',
    mesh: 'shop',
    rollout: 'reviews-7',
    revision: {
      id: '4f1c2d3e4f1c2d3e4f1c2d3e4f1c2d3e4f1c2d3e',
      author: 'Ada Example <ada@example.com>',
      title: 'Send reviews to v2',
      committedAtMs: 1_699_999_000_000,
    },
    title: 'shop: reviews rolled back',
    text: 'gate errors failed: success rate 70.97% < 99% (31 requests, 6s)',
    facts: [{ title: 'reviews-v2', value: '0 % (applied 0 %, desired 100 %)' }],
    atMs: 1_700_000_000_000,
    ...changes,
  };
}
