/** Times as the clocks of a place show them, daylight saving time included. */
/** `2026-03-29T09:30`, so that two of one place are compared as text. */
export interface LocalTime {
  readonly date: string;
  /** `09:30`. */
  readonly time: string;
  /** Index of the weekday, 0 for Monday. */
  readonly weekday: number;
}

/** True for a name of the IANA database. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** What the clocks of `timeZone` show at `atMs`. Throws where `isTimeZone` is false. */
export function localTime(atMs: number, timeZone: string): LocalTime {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? '';
  const date = `${part('year')}-${part('month')}-${part('day')}`;
  const weekday = (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
  return { date, time: `${part('hour')}:${part('minute')}`, weekday };
}

/** A format is dear to make and cheap to use. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-CA', {
      timeZone,
      hourCycle: 'h23',
      ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
    });
  formats.set(timeZone, known);
  return known;
}
