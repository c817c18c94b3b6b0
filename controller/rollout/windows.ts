/**
 * Whether steps may be entered now, by the windows of a policy, and when they may be again. Asked at each
 * tick of the clock on the wall, so a clock that jumps and a night with an hour more need no rule of their own.
 */
import { type LocalTime, localTime } from '../base/local-time.js';
import type { AllowWindow, FreezeWindow, RolloutWindows, Weekday } from '../mesh/model.js';

const weekdays: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** How far ahead it is looked for when they open; a freeze that is longer says its own end. */
const searchMs = 8 * 24 * 3_600_000;

/** Every time zone's offset is a multiple of it. */
const quarterMs = 15 * 60_000;
const minuteMs = 60_000;

/** Undefined where a step may be entered at `nowMs`; else what is waited for, for people. */
export function shutReason(windows: RolloutWindows | undefined, nowMs: number): string | undefined {
  if (windows === undefined || isOpen(windows, nowMs)) {
    return undefined;
  }
  const freeze = windows.freeze.find((one) => isFrozen(one, nowMs));
  if (freeze !== undefined) {
    const why = freeze.reason === undefined ? '' : ` (${freeze.reason})`;
    return `the freeze until ${freeze.to.replace('T', ' ')} ${freeze.timeZone}${why}`;
  }
  const opensMs = nextOpening(windows, nowMs);
  const zone = windows.allow[0]?.timeZone ?? 'UTC';
  if (opensMs === undefined) {
    return 'a window, and none opens in the next 8 days';
  }
  const { date, time, weekday } = localTime(opensMs, zone);
  return `its window, which opens on ${weekdays[weekday]} ${date} ${time} ${zone}`;
}

/** True where a step may be entered at `atMs`. */
export function isOpen({ allow, freeze }: RolloutWindows, atMs: number): boolean {
  return (
    (allow.length === 0 || allow.some((window) => isAllowed(window, atMs))) &&
    !freeze.some((window) => isFrozen(window, atMs))
  );
}

function isAllowed({ days, from, to, timeZone }: AllowWindow, atMs: number): boolean {
  const { time, weekday }: LocalTime = localTime(atMs, timeZone);
  const opensOn = (index: number) => days.some((day) => day === weekdays[(index + 7) % 7]);
  if (from < to) {
    return opensOn(weekday) && time >= from && time < to;
  }
  // Over midnight: it belongs to the day on which it opened.
  return (opensOn(weekday) && time >= from) || (opensOn(weekday - 1) && time < to);
}

function isFrozen({ from, to, timeZone }: FreezeWindow, atMs: number): boolean {
  const { date, time } = localTime(atMs, timeZone);
  const now = `${date}T${time}`;
  return now >= from && now < to;
}

/** By quarters of an hour where every window opens and closes at one; else by minutes. */
function nextOpening(windows: RolloutWindows, nowMs: number): number | undefined {
  const times = [...windows.allow, ...windows.freeze].flatMap(({ from, to }) => [from, to]);
  const isByQuarters = times.every((time) => Number(time.slice(-2)) % 15 === 0);
  const stepMs = isByQuarters ? quarterMs : minuteMs;
  const startMs = Math.ceil(nowMs / stepMs) * stepMs;
  for (let atMs = startMs; atMs < startMs + searchMs; atMs += stepMs) {
    if (isOpen(windows, atMs)) {
      return atMs;
    }
  }
  return undefined;
}
