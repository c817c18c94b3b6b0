/** The state of everything in one sentence, and what that asks of the reader in a second one. */
import type { RolloutView } from '../../api/rollout-view.ts';
import type { StatusView } from '../../api/view.ts';
import { plural } from '../../base/plural.ts';
import { percent } from '../format.ts';
import { running, waiting } from '../live.ts';
import type { Tone } from './badge.tsx';

export function Headline({ status: view }: { status: StatusView }) {
  const [tone, text, more] = sentence(view, running.value, waiting.value);
  return (
    <div class={`headline ${tone}`}>
      <h1>{text}</h1>
      <p>{more}</p>
    </div>
  );
}

type Sentence = readonly [Tone, string, string];

function sentence(
  view: StatusView,
  inFlight: readonly RolloutView[],
  waitingForPerson: readonly RolloutView[],
): Sentence {
  const count = waitingForPerson.length + view.held.length;
  if (view.revision.attempted === null) {
    const { error, fetchedPercent } = view.source;
    const cloning = fetchedPercent === undefined ? '' : `Cloning, ${fetchedPercent} %.`;
    const reading = cloning || 'Git is being read for the first time; proxies keep what they have.';
    return ['calm', 'Waiting for the first commit', error?.message ?? reading];
  }
  if (count > 0) {
    const safe =
      waitingForPerson.length === 0 && inFlight.length === 0
        ? 'Everybody is served what they had before. '
        : '';
    const share = count === 1 ? shareText(waitingForPerson) : '';
    const more = `${safe}${share}${movingText(inFlight)}`;
    return ['warn', waitingTitle(view, waitingForPerson, count), more];
  }
  if (view.revision.error !== undefined) {
    return [
      'bad',
      'The newest commit is rejected',
      'It has a mistake, told below. What was served before it stays served.',
    ];
  }
  if (inFlight.length > 0) {
    return movingTitle(inFlight);
  }
  if (view.source.state === 'failing') {
    return ['warn', 'Git cannot be reached', 'What was served stays served, and rollouts go on.'];
  }
  if (view.proxies.rejected > 0) {
    const refusing = plural(view.proxies.rejected, 'proxy refuses', 'proxies refuse');
    return ['bad', `${refusing} its configuration`, 'See Proxies for its words.'];
  }
  return ['good', 'The mesh serves what Git asks for', 'Nothing moves, nothing waits for you.'];
}

/** One thing is called by its name; several are counted. */
function waitingTitle(
  { held }: StatusView,
  [rollout]: readonly RolloutView[],
  count: number,
): string {
  const [failed] = held;
  if (count > 1) {
    return `${count} things wait for you`;
  }
  if (rollout !== undefined) {
    const isPaused = rollout.phase === 'Paused';
    return isPaused ? `${rollout.name} is paused` : `${rollout.name} waits for your approval`;
  }
  return `${failed?.name} was taken back and is held`;
}

/** How far the one that waits has come. */
function shareText([rollout]: readonly RolloutView[]): string {
  const share = rollout && shareOf(rollout);
  return share === undefined ? '' : `${share}. `;
}

/** `25 % of its requests go to checkout-v2`; undefined where it moves no weights. */
function shareOf({ targets }: RolloutView): string | undefined {
  const gaining = targets.find(({ applied, desired }) => desired > applied);
  return gaining && `${percent(gaining.served)} of its requests go to ${gaining.virtualNode}`;
}

function movingText(inFlight: readonly RolloutView[]): string {
  const others = inFlight.filter(
    ({ phase }) => phase !== 'WaitingForApproval' && phase !== 'Paused',
  );
  return others.length === 0
    ? 'Nothing moves until you decide.'
    : `In flight besides: ${others.map(({ name }) => name).join(', ')}.`;
}

function movingTitle(inFlight: readonly RolloutView[]): Sentence {
  const [first] = inFlight;
  const names = inFlight.map(({ name }) => name).join(', ');
  if (first?.phase === 'RollingBack') {
    return ['bad', `Rolling back ${names}`, 'Every proxy is given again what it had before.'];
  }
  const share = inFlight.length > 1 || first === undefined ? undefined : shareOf(first);
  return [
    'busy',
    `Rolling out ${names}${share === undefined ? '' : `: ${share}`}`,
    'It goes on by itself while its gates pass, and back by itself when one fails. Nothing waits for you.',
  ];
}
