/** One rollout in detail, as a person reads it: where it stands, by which figures, and how it got there. */
import type { HistoryView } from '../api/history-view.js';
import type { GateView, RolloutView } from '../api/rollout-view.js';
import { renderNextSteps, stepsOf } from './headline.js';
import type { Style } from './io.js';
import {
  type Cell,
  paintState,
  type Row,
  renderFields,
  renderTable,
  showCommit,
  showPercent,
  showTime,
} from './print.js';

/** `events` oldest first. */
export function renderRollout(
  rollout: RolloutView,
  events: readonly HistoryView[],
  style: Style,
): string {
  const { targets, gates, steps, changes } = rollout;
  const parts = [
    renderFields(header(rollout, style)),
    renderTable(
      ['change', 'class', 'action'],
      changes.map(({ kind, name, route, ...change }) => [
        `${kind} ${name}${route === undefined ? '' : ` route ${route}`}`,
        change.class,
        change.action,
      ]),
    ),
  ];
  if (targets.length > 0) {
    const rows = targets.map((target) => [
      `${target.virtualNode}:${target.port}`,
      `${target.router}/${target.route}`,
      showPercent(target.applied),
      showPercent(target.desired),
      showPercent(target.served),
      showPercent(target.actual),
    ]);
    parts.push(renderTable(['target', 'route', 'applied', 'desired', 'served', 'actual'], rows));
  }
  if (gates.length > 0) {
    parts.push(
      renderTable(
        ['gate', 'verdict', 'figures'],
        gates.map((gate) => gateRow(gate, style)),
      ),
    );
  }
  if (steps.length > 0) {
    const rows = steps.map((_, index) => stepRow(rollout, index));
    parts.push(renderTable(['step', 'what', 'bake', 'state'], rows));
  }
  if (events.length > 0) {
    parts.push(
      renderTable(
        ['at', 'event'],
        events.map(({ at, text }) => [showTime(at), text]),
      ),
    );
  }
  const next = renderNextSteps(stepsOf(rollout), style);
  if (next !== '') {
    parts.push(next);
  }
  return parts.join('\n');
}

function header(rollout: RolloutView, style: Style): readonly (readonly [string, string | Cell])[] {
  const { step, commit } = rollout;
  return [
    ['Rollout', rollout.id],
    ['Mesh', rollout.mesh],
    ['Phase', paintState(rollout.phase, style)],
    ['Since', showTime(rollout.since)],
    ['Reason', rollout.reason],
    ...(rollout.waitsFor === undefined ? [] : [['Waits for', rollout.waitsFor] as const]),
    ...(rollout.isHeld === true
      ? [['Held', 'a commit that changes it, or retry, tries it again'] as const]
      : []),
    ...(rollout.followedBy === undefined
      ? []
      : [['Then', `commit ${showCommit(rollout.followedBy)}, which waits for its end`] as const]),
    ...(rollout.proxies === undefined
      ? []
      : [
          [
            'Proxies',
            `${rollout.proxies.acknowledged} of ${rollout.proxies.concerned} have acknowledged it`,
          ] as const,
        ]),
    ['Step', `${step.index}/${step.count} (${showProgress(rollout)})`],
    ['Policy', rollout.policy ?? 'built-in'],
    ...(rollout.sticky === undefined ? [] : [['Sticky', rollout.sticky] as const]),
    ['Commit', `${showCommit(rollout.revision)}  ${commit.title}  (${commit.author})`],
    ['Started', showTime(rollout.startedAt)],
    ...(rollout.endedAt === undefined ? [] : [['Ended', showTime(rollout.endedAt)] as const]),
  ];
}

/** How far weights or proxies have come; before that what the step does instead, as `mirror`. */
export function showProgress({ steps, step, progress, endedAt }: RolloutView): string {
  const present = endedAt === undefined ? steps[step.index - 1] : undefined;
  return present?.progress === 0 ? present.label : showPercent(progress);
}

function gateRow(gate: GateView, style: Style): Row {
  return [gate.name, paintState(gate.verdict, style), gate.text];
}

/** A step that was passed says by which figures. */
function stepRow(rollout: RolloutView, index: number): Row {
  const step = rollout.steps[index];
  const evidence = rollout.evidence.find((passed) => passed.step === index + 1);
  return [
    String(index + 1),
    step?.text ?? '',
    step?.bake ?? '',
    evidence === undefined
      ? openStep(rollout, index)
      : evidence.gates.map(({ text }) => text).join('; '),
  ];
}

function openStep({ step, steps, endedAt }: RolloutView, index: number): string {
  if (endedAt === undefined && step.index === index + 1) {
    return 'now';
  }
  return steps[index]?.approval === true && step.index <= index ? 'needs approval' : '';
}
