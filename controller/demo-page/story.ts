/** What the demo tells: its board, and a wall of the newest requests, filled round and round. */
import { computed, signal } from '@preact/signals';
import type { AnswerView, DemoView } from '../demo/view.ts';

/** Twelve seconds of requests. */
export const wallSize = 600;

export const board = signal<DemoView | undefined>(undefined);

export interface Wall {
  /** In the order of the squares; undefined where none came yet. */
  readonly squares: readonly (AnswerView | undefined)[];
  /** Where the next one goes. */
  readonly next: number;
}

export const wall = signal<Wall>({ squares: new Array(wallSize).fill(undefined), next: 0 });

/** The newest requests, by which shares are told: two seconds of them. */
const recentSize = 100;

export interface Share {
  readonly version: string;
  readonly percent: number;
}

/** Of the newest requests: by version those it answered, and how many met an error or no answer. */
export const recent = computed(() => {
  const { squares, next } = wall.value;
  const newest = Array.from(
    { length: recentSize },
    (_, index) => squares[(next - 1 - index + wallSize) % wallSize],
  ).filter((answer) => answer !== undefined);
  const shareOf = (version: string): Share => {
    const count = newest.filter((answer) => versionOf(answer) === version).length;
    return { version, percent: newest.length === 0 ? 0 : (100 * count) / newest.length };
  };
  return {
    count: newest.length,
    shares: (board.value?.versions ?? []).map(shareOf),
    errors: newest.filter((answer) => answer.endsWith('!')).length,
    lost: newest.filter((answer) => answer === 'lost').length,
  };
});

/** `v2` of `v2!`; empty where no version answered. */
export function versionOf(answer: AnswerView): string {
  return answer === 'lost' ? '' : answer.replace('!', '');
}

/** The server sends a whole wall to whoever comes anew, so a stream that was cut just begins again. */
export function startStory(): void {
  const source = new EventSource('/api/demo/events');
  let isFirst = true;
  source.addEventListener('open', () => {
    isFirst = true;
  });
  source.addEventListener('board', (event) => {
    board.value = JSON.parse(event.data) as DemoView;
  });
  source.addEventListener('answers', (event) => {
    const answers = JSON.parse(event.data) as readonly AnswerView[];
    wall.value = added(isFirst ? emptied() : wall.value, answers);
    isFirst = false;
  });
}

function emptied(): Wall {
  return { squares: new Array(wallSize).fill(undefined), next: 0 };
}

function added({ squares, next }: Wall, answers: readonly AnswerView[]): Wall {
  const changed = [...squares];
  let place = next;
  for (const answer of answers) {
    changed[place] = answer;
    place = (place + 1) % wallSize;
  }
  return { squares: changed, next: place };
}
