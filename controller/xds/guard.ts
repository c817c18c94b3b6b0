/** What stands between a peer and the services: how many streams it may open, and as whom. */
import type { Clock } from '../loop/ports.js';
import type { Admission, Caller } from './admission.js';
import type { Connection, RecentStreams } from './connection.js';
import type { GrpcStatus } from './grpc-stream.js';
import { unusedStreamsMax } from './limits.js';
import type { Refusals } from './refusals.js';
import type { CompleteXdsSettings } from './settings.js';

export interface Refused {
  readonly status: GrpcStatus;
  readonly details: string;
}

export interface Guard {
  /** Counts a new stream, whatever it asks for; where they are too many, the connection is cut. */
  refuseHaste(connection: Connection): Refused | undefined;
  /** The peer took back a stream on which it had asked for nothing; the same. */
  tookBack(connection: Connection): void;
  letIn(
    connection: Connection,
    authorization: string | undefined,
  ): { readonly caller: Caller } | Refused;
  /** From now on `end` is called once `caller` no longer counts. The result ends that. */
  watch(caller: Caller, peer: string, end: (why: string) => void): () => void;
  recheck(): void;
}

export interface GuardDeps {
  readonly clock: Clock;
  readonly refusals: Refusals;
  readonly admission: Admission;
}

export function createGuard(
  { streamsPerSecondMax }: CompleteXdsSettings,
  { clock, refusals, admission }: GuardDeps,
): Guard {
  const watched = new Set<{
    readonly caller: Caller;
    readonly peer: string;
    end(why: string): void;
  }>();
  const cut = (connection: Connection, message: string): void => {
    refusals.add({ reason: 'streams', peer: connection.peer, caller: '', message });
    connection.banish();
  };
  return {
    refuseHaste(connection) {
      const recent = recentStreams(connection, clock.now());
      recent.opened += 1;
      if (recent.opened <= streamsPerSecondMax) {
        return undefined;
      }
      const message = `more than ${streamsPerSecondMax} new streams in a second`;
      cut(connection, message);
      return { status: 'resourceExhausted', details: message };
    },
    tookBack(connection) {
      const recent = recentStreams(connection, clock.now());
      recent.unused += 1;
      if (recent.unused === unusedStreamsMax + 1) {
        cut(connection, `more than ${unusedStreamsMax} streams in a second without a message`);
      }
    },
    letIn(connection, authorization) {
      const { peer } = connection;
      const admitted = admission.admit({ certificate: connection.certificate, authorization });
      if ('refusal' in admitted) {
        const message = admitted.refusal;
        refusals.add({ reason: 'unauthenticated', peer, caller: '', message });
        return { status: 'unauthenticated', details: message };
      }
      connection.proven();
      return { caller: admitted.caller };
    },
    watch(caller, peer, end) {
      const entry = { caller, peer, end };
      watched.add(entry);
      return () => watched.delete(entry);
    },
    recheck() {
      for (const entry of watched) {
        const { caller, peer, end } = entry;
        const why = caller.standing();
        if (why !== undefined) {
          // A peer that does not take the end keeps its stream for a while, and was refused once.
          watched.delete(entry);
          refusals.add({ reason: 'unauthenticated', peer, caller: caller.name, message: why });
          end(why);
        }
      }
    },
  };
}

/** What came of streams in the present second. */
function recentStreams({ recent }: Connection, nowMs: number): RecentStreams {
  if (nowMs - recent.sinceMs >= 1000) {
    recent.sinceMs = nowMs;
    recent.opened = 0;
    recent.unused = 0;
  }
  return recent;
}
