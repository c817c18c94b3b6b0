/** Times, shares and ids in the words of the page. */
import type { Problem } from '../base/problem.ts';

/** `12 s`, `4 min`, `3 h`, `2 d`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) {
    return `${seconds} s`;
  }
  if (seconds < 3600) {
    const rest = seconds % 60;
    return rest === 0 || seconds >= 600
      ? `${Math.floor(seconds / 60)} min`
      : `${Math.floor(seconds / 60)} min ${rest} s`;
  }
  return seconds < 172_800
    ? `${Math.floor(seconds / 3600)} h`
    : `${Math.floor(seconds / 86_400)} d`;
}

/** How long ago, by its largest unit alone. */
export function ago(at: string, nowMs: number): string {
  const ms = nowMs - Date.parse(at);
  if (ms < 2000) {
    return 'just now';
  }
  return `${duration(ms).replace(/ min .*$/, ' min')} ago`;
}

/** `14:05:31`, with the day where it is not today. */
export function clock(at: string): string {
  const time = new Date(at);
  const isToday = time.toDateString() === new Date().toDateString();
  const hours = time.toLocaleTimeString([], { hour12: false });
  return isToday ? hours : `${time.toLocaleDateString()} ${hours}`;
}

/** `12.5 %`; without decimals where there are none. */
export function percent(value: number | null): string {
  return value === null ? '–' : `${Math.round(value * 10) / 10} %`;
}

export function shortId(commit: string): string {
  return commit.slice(0, 7);
}

/** `Ada <ada@example.com>` without the address. */
export function person(author: string): string {
  return author.replace(/\s*<[^>]*>$/, '') || 'somebody';
}

/** `nodes.yaml:3`, with the name of its repository before it where there are several. */
export function placeOf({ repository, file, line }: Problem): string {
  return `${repository === undefined ? '' : `${repository}: `}${file}:${line}`;
}
