/** Keys of the config file that nobody knows, and where in the file they stand. */
import { nearestName } from '../base/nearest-name.js';

/** Reports on what stands at `path`, as `notifications.slack[0].url`; `message` follows the path. */
export type ReportKey = (path: string, message: string) => void;

/** A mapping of the file, before anything is known of its members. */
export type Section = Readonly<Record<string, unknown>>;

export function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reports every key of `section` that is not `allowed`. `path` is empty for the file itself. */
export function reportUnknownKeys(
  path: string,
  section: Section,
  allowed: readonly string[],
  report: ReportKey,
): void {
  const prefix = path === '' ? '' : `${path}.`;
  for (const key of Object.keys(section).filter((candidate) => !allowed.includes(candidate))) {
    report(`${prefix}${key}`, `is not known; ${suggest(key, allowed)}`);
  }
}

/** What to write instead of `name`. */
export function suggest(name: string, allowed: readonly string[]): string {
  const nearest = nearestName(name, allowed);
  return nearest === undefined ? `known are ${allowed.join(', ')}` : `did you mean ${nearest}?`;
}
