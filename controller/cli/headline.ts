/**
 * What `headgate status` begins and ends with: the state of everything in one sentence, and what a person may
 * do about it, as commands to copy. The dashboard's first page says the same.
 */
import type { RolloutView } from '../api/rollout-view.js';
import type { StatusView } from '../api/view.js';
import { printable } from '../base/printable.js';
import type { Style } from './io.js';
import { type Cell, renderFields, showCommit } from './print.js';

/** A command, and what it does. */
export type NextStep = readonly [command: string, does: string];

/** One line, with a mark of its kind before it. */
export function renderHeadline(status: StatusView, style: Style): string {
  const { mark, text, paint } = headlineOf(status, style);
  return `${paint(`${mark} ${text}`)}\n`;
}

function headlineOf(status: StatusView, style: Style) {
  const { held, rollouts, revision, source, proxies } = status;
  const waiting = rollouts.filter(({ phase }) => isForPerson(phase));
  const count = waiting.length + held.length;
  const [first] = waiting;
  const warn = { mark: '!', paint: style.yellow };
  const bad = { mark: '✖', paint: style.red };
  if (revision.attempted === null) {
    return { ...warn, text: 'waiting for the first commit' };
  }
  if (count > 1) {
    return { ...warn, text: `${count} things wait for you` };
  }
  if (first !== undefined) {
    const isPaused = first.phase === 'Paused';
    return { ...warn, text: `${first.name} ${isPaused ? 'is paused' : 'waits for your approval'}` };
  }
  if (held[0] !== undefined) {
    const text = `${held[0].name} was taken back and is held: Git asks for one thing, the mesh serves another`;
    return { ...warn, text };
  }
  if (revision.error !== undefined) {
    return { ...bad, text: 'the newest commit is rejected; what was served before stays served' };
  }
  if (rollouts.length > 0) {
    return { mark: '●', paint: style.cyan, text: movingText(rollouts) };
  }
  if (source.state === 'failing') {
    return { ...warn, text: 'Git cannot be reached; what was served stays served' };
  }
  if (proxies.rejected > 0) {
    const one = '1 proxy refuses its configuration';
    const text =
      proxies.rejected === 1 ? one : `${proxies.rejected} proxies refuse their configuration`;
    return { ...bad, text };
  }
  return { mark: '✔', paint: style.green, text: 'the mesh serves what Git asks for' };
}

function isForPerson(phase: RolloutView['phase']): boolean {
  return phase === 'Paused' || phase === 'WaitingForApproval';
}

function movingText(rollouts: readonly RolloutView[]): string {
  const names = rollouts.map(({ name }) => name).join(', ');
  if (rollouts.some(({ phase }) => phase === 'RollingBack')) {
    return `rolling back: every proxy is given again what it had before (${names})`;
  }
  return `rolling out ${names}: it goes on by itself while its gates pass, and back where one fails`;
}

/** What a person may do now; empty where nothing is asked of anybody. */
export function nextSteps({ rollouts, held, revision, source, proxies }: StatusView) {
  const steps: NextStep[] = [
    ...rollouts.flatMap(stepsOf),
    ...held.flatMap((change) => heldSteps(change.rollout, change.revision)),
    ...rejectedSteps(revision),
    ...(source.state === 'failing' ? [['headgate check', 'what is wrong with Git'] as const] : []),
    ...(proxies.rejected > 0 ? [['headgate proxies', 'who refuses, and why'] as const] : []),
  ];
  return steps;
}

/** Of a commit with a mistake. */
function rejectedSteps({ error, attempted }: StatusView['revision']): readonly NextStep[] {
  if (error === undefined) {
    return [];
  }
  const [, code] = /\b(HG\d{4})\b/.exec(error) ?? [];
  return [
    [
      `git revert ${showCommit(attempted)}`,
      'take the commit back in Git; or push one that mends it',
    ],
    ...(code === undefined ? [] : [[`headgate explain ${code}`, 'what the mistake is'] as const]),
  ];
}

/** Of one rollout, whatever its phase. */
export function stepsOf({ id, phase, isHeld, revision }: RolloutView): readonly NextStep[] {
  if (isHeld === true) {
    return heldSteps(id, revision);
  }
  switch (phase) {
    case 'Paused':
      return [
        [`headgate resume ${id}`, 'go on from here; the gates of the step start over'],
        [`headgate abort ${id}`, 'go back to what was served before'],
      ];
    case 'WaitingForApproval':
      return [
        [`headgate approve ${id}`, 'enter the next step'],
        [`headgate abort ${id}`, 'go back to what was served before'],
      ];
    default:
      return [];
  }
}

function heldSteps(rollout: string, revision: string): readonly NextStep[] {
  return [
    [
      `git revert ${showCommit(revision)}`,
      'take the change back in Git; or commit one that mends it',
    ],
    [`headgate retry ${rollout}`, 'try the same once more, from its first step'],
  ];
}

/** Empty where there is nothing to do. */
export function renderNextSteps(steps: readonly NextStep[], style: Style): string {
  const fields = steps.map(([command, does]): readonly [string, Cell] => [
    `  ${printable(command)}`,
    { text: does, paint: style.dim },
  ]);
  return steps.length === 0 ? '' : `What to do:\n${renderFields(fields)}`;
}
