/** What gates are to be asked of the outside now, over all rollouts, and what came back. */
import { memo } from '../base/memo.js';
import { wantedMesh } from '../rollout/concerned.js';
import type { Measured, MeasurementOrder } from '../rollout/gates/measurement.js';
import { countErrors } from '../rollout/gates/measurement.js';
import { measurementOrders } from '../rollout/gates/orders.js';
import { isEnded } from '../rollout/rollout.js';
import type { LoopEvent } from './events.js';
import type { DurableState, LoopState } from './state.js';

/** It follows from the durable state alone, so a restart asks what was asked. */
export const ordersOf = memo(({ rollouts, meshes }: DurableState): readonly MeasurementOrder[] =>
  [...rollouts.values()].flatMap((rollout) => {
    const mesh = meshes.get(rollout.mesh);
    return mesh === undefined || isEnded(rollout.phase)
      ? []
      : measurementOrders(rollout, wantedMesh(mesh, rollout));
  }),
);

/** Answers come one by one, and thousands of them between two looks. */
const askedIds = memo(
  (orders: readonly MeasurementOrder[]): ReadonlySet<string> => new Set(orders.map(({ id }) => id)),
);

/** An answer to what is still asked; one that came too late changes nothing. */
export function takeMeasurement(
  state: LoopState,
  { order, measurement }: Extract<LoopEvent, { kind: 'gateMeasured' }>,
): LoopState {
  const asked = askedIds(ordersOf(state.durable));
  if (!asked.has(order)) {
    return state;
  }
  // Nothing is kept of what is not asked any more, so the map cannot grow.
  const measured = new Map<string, Measured>([...state.measured].filter(([id]) => asked.has(id)));
  measured.set(order, countErrors(state.measured.get(order), measurement));
  return { ...state, measured };
}
