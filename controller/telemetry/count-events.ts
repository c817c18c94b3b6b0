/** A logger that counts what it is told, whatever the log level: the metric `headgate_events_total`. */
import { type EventName, eventTable } from '../event-table.js';
import type { Logger } from '../loop/ports.js';
import type { Readings } from './instruments.js';
import type { LabelsOf } from './metric-table.js';

const names = Object.keys(eventTable) as readonly EventName[];

export interface CountingLogger extends Logger {
  /** Every event of the table, at 0 where it has not happened. */
  counts(): Readings<LabelsOf<'headgate_events_total'>>;
}

export function countEvents(logger: Logger): CountingLogger {
  const counts = new Map<EventName, number>(names.map((name) => [name, 0]));
  const count = (event: EventName): void => {
    counts.set(event, (counts.get(event) ?? 0) + 1);
  };
  return {
    info: (event, fields) => {
      count(event);
      logger.info(event, fields);
    },
    warn: (event, fields) => {
      count(event);
      logger.warn(event, fields);
    },
    error: (event, fields) => {
      count(event);
      logger.error(event, fields);
    },
    counts: () => [...counts].map(([event, n]) => [{ event, level: eventTable[event].level }, n]),
  };
}

/** Logs `event` at the level that the table gives it: for names that are known at run time only. */
export function logEvent(
  logger: Logger,
  event: EventName,
  fields: Readonly<Record<string, unknown>>,
): void {
  const { level } = eventTable[event];
  const log = logger[level] as (name: EventName, all: typeof fields) => void;
  log(event, fields);
}
