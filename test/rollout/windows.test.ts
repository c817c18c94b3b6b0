/** Windows and freezes by the clocks of a place, over the nights in which those are set. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AllowWindow, FreezeWindow } from '../../controller/mesh/model.js';
import { isOpen, shutReason } from '../../controller/rollout/windows.js';

const windows = suite('windows');

const workdays: AllowWindow = {
  days: ['mon', 'tue', 'wed', 'thu', 'fri'],
  from: '09:00',
  to: '16:00',
  timeZone: 'Europe/Berlin',
};

function reasonAt(
  time: string,
  allow: readonly AllowWindow[],
  freeze: readonly FreezeWindow[] = [],
) {
  return shutReason({ allow, freeze }, Date.parse(time));
}

windows('a window opens and closes by the clocks of its place, in winter and in summer', () => {
  assert.is(reasonAt('2026-01-15T07:59:59Z', [workdays])?.includes('thu 2026-01-15 09:00'), true);
  assert.is(reasonAt('2026-01-15T08:00:00Z', [workdays]), undefined);
  assert.is(reasonAt('2026-01-15T14:59:59Z', [workdays]), undefined);
  assert.is(typeof reasonAt('2026-01-15T15:00:00Z', [workdays]), 'string');
  assert.is(reasonAt('2026-07-15T07:00:00Z', [workdays]), undefined);
  assert.is(typeof reasonAt('2026-07-15T14:00:00Z', [workdays]), 'string');
});

windows('after the night in which clocks are set forward the hour is the new one', () => {
  // Friday evening; Berlin goes from UTC+1 to UTC+2 on Sunday 2026-03-29.
  const reason = 'its window, which opens on mon 2026-03-30 09:00 Europe/Berlin';
  assert.is(reasonAt('2026-03-27T18:00:00Z', [workdays]), reason);
  assert.is(reasonAt('2026-03-30T07:00:00Z', [workdays]), undefined);
  assert.is(reasonAt('2026-03-30T06:59:00Z', [workdays]), reason);
});

windows(
  'a window inside the hour that is skipped does not open, and inside the hour that is twice it is',
  () => {
    const night = { ...workdays, days: ['sun'], from: '02:15', to: '02:45' } as const;
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      const atMs = Date.parse('2026-03-29T00:00:00Z') + minute * 60_000;
      assert.not(isOpen({ allow: [night], freeze: [] }, atMs), `minute ${minute}`);
    }
    assert.is(reasonAt('2026-10-25T00:30:00Z', [night]), undefined, 'summer time');
    assert.is(reasonAt('2026-10-25T01:30:00Z', [night]), undefined, 'winter time');
  },
);

windows('a window over midnight belongs to the day on which it opens', () => {
  const late = { ...workdays, days: ['fri'], from: '22:00', to: '02:00', timeZone: 'UTC' } as const;
  assert.is(reasonAt('2026-01-16T22:00:00Z', [late]), undefined);
  assert.is(reasonAt('2026-01-17T01:59:00Z', [late]), undefined);
  assert.is(typeof reasonAt('2026-01-17T02:00:00Z', [late]), 'string');
  assert.is(typeof reasonAt('2026-01-16T01:00:00Z', [late]), 'string');
});

windows('a freeze goes before every window and says why and until when', () => {
  const freeze = { from: '2026-12-20T18:00', to: '2027-01-04T00:00', timeZone: 'Asia/Kolkata' };
  const asked = (time: string) => reasonAt(time, [], [{ ...freeze, reason: 'holidays' }]);
  assert.is(asked('2026-12-20T12:29:00Z'), undefined);
  assert.is(
    asked('2026-12-20T12:30:00Z'),
    'the freeze until 2027-01-04 00:00 Asia/Kolkata (holidays)',
  );
  assert.is(asked('2027-01-03T18:30:00Z'), undefined);
});

windows.run();
