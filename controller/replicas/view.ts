/** Who leads and who is there, as the API, the metrics and people see it. */
import type { SourceStatus } from '../loop/state.js';
import type { LeaseState, PeerRow, Position } from './ports.js';

/** What a replica says of itself. */
export interface MemberRow {
  /** The operator's name for it; the same after a restart. */
  readonly name: string;
  readonly version: string;
  /** Where it listens. */
  readonly xds: string;
  readonly http: string;
  /**
   * `held`: the database has lost commits that this replica has seen. `leftBehind`: a newer version has
   * changed the tables, and this replica leads no more.
   */
  readonly role: 'leading' | 'following' | 'held' | 'leftBehind';
  /** Streams of proxies. */
  readonly proxies: number;
  /** Of the repositories by their names, as the leader sees them. */
  readonly sources?: readonly (readonly [string, SourceStatus])[];
}

export interface MemberView {
  readonly name: string;
  readonly role: MemberRow['role'];
  /** The term that was last begun by anybody. */
  readonly epoch: number;
  /** The name of the replica that leads; undefined: nobody that is known. */
  readonly leader?: string;
  readonly position: Position;
  /** This one first, the others by name. */
  readonly replicas: readonly (MemberRow & {
    /** Since it was last heard of; 0 for this one. */
    readonly silentMs: number;
    readonly position: Position;
  })[];
}

export function viewMember({
  own,
  replica,
  lease,
  position,
  others,
}: {
  readonly own: MemberRow;
  readonly replica: string;
  readonly lease: LeaseState;
  readonly position: Position;
  readonly others: readonly PeerRow[];
}): MemberView {
  const rows = others.map((row) => ({
    ...(JSON.parse(row.json) as MemberRow),
    silentMs: Math.round(row.silentMs),
    position: row.position,
  }));
  const holder = others.findIndex((row) => row.replica === lease.holder);
  const leader = lease.holder === replica ? own.name : rows[holder]?.name;
  return {
    name: own.name,
    role: own.role,
    epoch: lease.epoch,
    leader: lease.isFree ? undefined : leader,
    position,
    replicas: [
      { ...own, silentMs: 0, position },
      ...rows.sort((left, right) => (left.name < right.name ? -1 : 1)),
    ],
  };
}
