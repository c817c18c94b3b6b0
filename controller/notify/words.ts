/** What the forms of different chats have in common: marks, links, and facts in bounds. */
import { printable } from '../base/printable.js';
import type { Announcement } from '../loop/events.js';

const markOf: Readonly<Record<Announcement['event'], string>> = {
  'rollout.started': '▶️',
  'rollout.succeeded': '✅',
  'rollout.rolledBack': '⏪',
  'rollout.aborted': '⏹️',
  'rollout.paused': '⏸️',
  'rollout.waitingForApproval': '✋',
  'rollout.superseded': '⏭️',
  'revision.accepted': '☑️',
  'revision.rejected': '❌',
};

/** The title behind its mark; another version of this program may have stored an event unknown here. */
export function markedTitle({ event, title }: Announcement): string {
  return `${markOf[event] ?? '•'} ${title}`;
}

export interface Link {
  /** What pressing it is for. */
  readonly label: string;
  readonly url: string;
}

/** Where the dashboard shows what `announcement` is about; undefined where no dashboard is known. */
export function linkOf(
  { event, rollout }: Announcement,
  publicUrl: string | undefined,
): Link | undefined {
  if (publicUrl === undefined) {
    return undefined;
  }
  if (rollout === undefined) {
    return { label: 'Open Headgate', url: publicUrl };
  }
  const url = `${publicUrl}/rollouts/${encodeURIComponent(rollout)}`;
  return { label: event === 'rollout.waitingForApproval' ? 'Approve or abort' : 'Open', url };
}

/** The author without the address, which is nobody's business in a chat. */
export function authorOf({ revision }: Announcement): string {
  return revision.author.replace(/\s*<[^>]*>\s*$/, '');
}

/**
 * `text` on one line, each character passed through `escaped`, at most `lengthMax` UTF-16 units long after
 * that; what is cut ends in an ellipsis, and no character or escaped is torn.
 */
export function cutTo(
  text: string,
  lengthMax: number,
  escaped: (character: string) => string = (character) => character,
): string {
  let whole = '';
  let cut = '';
  for (const character of printable(text)) {
    whole += escaped(character);
    if (whole.length > lengthMax) {
      return `${cut}…`;
    }
    // One place is kept for the ellipsis.
    cut = whole.length < lengthMax ? whole : cut;
  }
  return whole;
}
