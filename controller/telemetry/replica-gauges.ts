/** Gauges of one replica among several; where one controller is alone they have no values. */
import type { Registry } from 'prom-client';
import type { MemberView } from '../replicas/view.js';
import { addGauge } from './instruments.js';

const roles: readonly MemberView['role'][] = ['leading', 'following', 'held', 'leftBehind'];

export function addReplicaGauges(registry: Registry, view: () => MemberView | undefined): void {
  const add = (name: ReplicaGauge, read: (view: MemberView) => number): void => {
    addGauge(registry, name, () => {
      const seen = view();
      return seen === undefined ? [] : [[{}, read(seen)]];
    });
  };
  add('headgate_leader', ({ role }) => (role === 'leading' ? 1 : 0));
  add('headgate_leader_epoch', ({ epoch }) => epoch);
  add('headgate_replicas', ({ replicas }) => replicas.length);
  add('headgate_state_commits', ({ position }) => position.seq);
  add('headgate_state_regressed', ({ role }) => (role === 'held' ? 1 : 0));
  addGauge(registry, 'headgate_replica_role', () =>
    (view()?.replicas ?? []).flatMap(({ name, role }) =>
      roles.map((one) => [{ replica: name, member: one }, one === role ? 1 : 0] as const),
    ),
  );
}

type ReplicaGauge =
  | 'headgate_leader'
  | 'headgate_leader_epoch'
  | 'headgate_replicas'
  | 'headgate_state_commits'
  | 'headgate_state_regressed';
