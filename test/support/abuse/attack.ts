/** What the attacks on an xDS port have in common: they go on until they are told to stop, and keep count. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SocketAddress } from '../../../controller/envoy/snapshot.js';
import { connectRaw, type RawPeer } from './frames.js';

/** What an attack has come to so far. */
export interface Tally {
  connections: number;
  /** Connections that the server ended. */
  cut: number;
  /** Streams that the server ended, by gRPC's status. */
  readonly ended: Map<string, number>;
  /** Whatever the attack sends: frames, streams, messages. */
  sent: number;
}

export interface Attack {
  readonly name: string;
  /** What one peer does, for people. */
  readonly what: string;
  /** Goes on until `stop` is aborted. `tally` is true at any time. */
  play(target: SocketAddress, stop: AbortSignal, tally: Tally): Promise<void>;
}

export function newTally(): Tally {
  return { connections: 0, cut: 0, ended: new Map(), sent: 0 };
}

export function countEnd(tally: Tally, status: string): void {
  tally.ended.set(status, (tally.ended.get(status) ?? 0) + 1);
}

/** Resolves once `stop` is aborted. */
export function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) {
      resolve();
    }
    stop.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Waits, but not beyond `stop`: an attacker's pause, for nothing that a test depends on. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => {});
}

export interface FloodOptions {
  /** Peers at once, each with a connection that is opened again when it is cut. */
  readonly peers?: number;
  readonly connect?: Parameters<typeof connectRaw>[1];
  /** Sent once on each connection. */
  open?(peer: RawPeer): Promise<void>;
  /** Sent again and again, as fast as it is taken. */
  again(round: number): { readonly bytes: Buffer; readonly count: number };
}

/** An attack that writes frames as fast as they are taken. */
export function flood(options: FloodOptions): Attack['play'] {
  return async (target, stop, tally) => {
    const one = async (): Promise<void> => {
      while (!stop.aborted) {
        const peer = await connectRaw(target, options.connect);
        tally.connections += 1;
        const cancel = () => peer.socket.destroy();
        stop.addEventListener('abort', cancel, { once: true });
        await options.open?.(peer);
        for (let round = 0; peer.isOpen() && !stop.aborted; round += 1) {
          const { bytes, count } = options.again(round);
          await peer.write(bytes);
          tally.sent += count;
          // Cuts are told between writes.
          await new Promise((resolve) => setImmediate(resolve));
        }
        stop.removeEventListener('abort', cancel);
        if (!stop.aborted) {
          tally.cut += 1;
          peer.socket.destroy();
          await pause(20, stop);
        }
      }
    };
    await Promise.all(Array.from({ length: options.peers ?? 2 }, one));
  };
}
