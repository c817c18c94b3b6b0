/** A logger that keeps what it is told, so that a test can ask what an operator would have read. */
import type { Logger } from '../../controller/loop/ports.js';

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface RecordingLogger extends Logger {
  /** In the order in which they were logged. */
  readonly lines: readonly LogLine[];
  /** The lines of `event`, once there are at least `count` of them. */
  until(event: string, count: number): Promise<readonly LogLine[]>;
}

export function recordingLogger(): RecordingLogger {
  const lines: LogLine[] = [];
  let checks: readonly (() => boolean)[] = [];
  const at =
    (level: LogLine['level']) =>
    (event: string, fields: LogLine['fields'] = {}): void => {
      lines.push({ level, event, fields });
      checks = checks.filter((isMet) => !isMet());
    };
  const until = (event: string, count: number) =>
    new Promise<readonly LogLine[]>((resolve) => {
      const isMet = (): boolean => {
        const found = lines.filter((line) => line.event === event);
        if (found.length < count) {
          return false;
        }
        resolve(found);
        return true;
      };
      if (!isMet()) {
        checks = [...checks, isMet];
      }
    });
  return { lines, until, info: at('info'), warn: at('warn'), error: at('error') };
}
