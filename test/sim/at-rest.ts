/** What must be true of a simulation that has come to rest after its faults have stopped. */
import type { DurableState } from '../../controller/loop/state.js';
import { isEnded } from '../../controller/rollout/rollout.js';
import { revisionIn } from '../support/reading.js';
import { runningOf } from './served.js';
import type { SimulatedFleet } from './simulated-fleet.js';
import type { SimulatedStore } from './simulated-store.js';

/** Every end of a rollout is in the history, and every decision to go back before it. */
export function untoldProblems(
  { rollouts }: DurableState,
  { historyEntries }: SimulatedStore,
): readonly string[] {
  const told = new Set(
    historyEntries
      .filter(({ kind }) => kind === 'rollout')
      .map(({ json }) => JSON.parse(json) as { rollout: string; phase: string })
      .map(({ rollout, phase }) => `${rollout} ${phase}`),
  );
  return [...rollouts.values()].flatMap(({ id, phase }) => {
    const isBack = phase === 'RolledBack' || phase === 'Aborted';
    const past = isBack ? ['RollingBack', phase] : [phase];
    return past
      .filter((one) => isEnded(phase) && !told.has(`${id} ${one}`))
      .map((one) => `the history does not tell that ${id} was ${one}`);
  });
}

/** Announced endpoints are those of the proxies that are connected, but for who has nothing served yet. */
export function endpointProblems(
  { announced }: DurableState,
  fleet: SimulatedFleet,
): readonly string[] {
  const living = [...announced.values()].flat().filter((one) => one.lostAtMs === undefined);
  const claimed = namesOf(living);
  const announcing = [...fleet.byId.values()].filter(({ node }) => node !== 'web');
  const isEndpoint = (instance: string) => living.some((one) => one.instance === instance);
  const connected = namesOf(
    announcing.filter(
      ({ instance, ackedGeneration }) => ackedGeneration > 0 || isEndpoint(instance),
    ),
  );
  return claimed === connected ? [] : [`has endpoints of ${claimed}, connected are ${connected}`];
}

function namesOf(list: readonly { readonly instance: string }[]): string {
  return [...new Set(list.map(({ instance }) => instance))].sort().join(', ');
}

export function describeState(durable: DurableState): string {
  const { held } = durable;
  const { desired, applied } = revisionIn(durable);
  const running = runningOf(durable).map(({ id, phase, reason }) => `${id} ${phase} (${reason})`);
  const holds = [...held.values()].map(({ rollout, reason }) => `held ${rollout} (${reason})`);
  const revisions = `desired ${desired?.id}, applied ${applied?.id}`;
  return [...running, ...holds, revisions].join('; ');
}
