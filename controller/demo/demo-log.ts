/**
 * The controller's log as the demo shows it: its errors alone, as lines among the demo's own. What the demo
 * tells itself (a rollback, a commit that is rejected) is not said twice.
 */
import type { EventName } from '../event-table.js';
import { cleanFields } from '../log.js';
import type { Logger } from '../loop/ports.js';

const told: readonly EventName[] = ['rollout.rolledBack', 'revision.rejected'];

/** `say` prints one line. */
export function demoLogger(say: (line: string) => void): Logger {
  return {
    info: () => undefined,
    warn: () => undefined,
    error: (event, fields) => {
      if (!told.includes(event)) {
        say(`  ✖ ${event}  ${JSON.stringify(cleanFields(fields))}`);
      }
    },
  };
}
