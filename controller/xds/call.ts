/** One gRPC stream as the services see it: messages are bytes both ways. `server.ts` makes them. */

import type { InParts } from '../base/in-parts.js';
import type { Caller } from './admission.js';
import type { Lane } from './turns.js';

/** The gRPC statuses that we end streams with. */
export type EndStatus =
  | 'ok'
  | 'invalidArgument'
  | 'resourceExhausted'
  | 'unavailable'
  | 'internal'
  | 'unauthenticated'
  | 'permissionDenied';

export interface Call {
  /** `address:port` of the other end. */
  readonly peer: string;
  /** Who opened it. */
  readonly caller: Caller;
  /** The turns of its connection. */
  readonly lane: Lane;
  /**
   * Hands the message that `parts` are one after another to the transport, which keeps them as they are;
   * `done` is called once the other end had room for it. Call it again only after that: nothing may queue
   * here for a peer that does not read.
   */
  write(parts: readonly Buffer[], done: () => void): void;
  /** The other end has asked for so many names, be it that they were news or too many. */
  askedFor(names: number): void;
  end(status: EndStatus, message?: string): void;
  /** Ends the whole connection at once: for a peer that would not even take an end. */
  disconnect(): void;
}

/** What happens on a call. */
export interface CallHandler {
  /** The result is the rest of what is to be done about it, before anything else of the call is. */
  onMessage(message: Buffer): InParts<void> | undefined;
  /**
   * Called once, as the last. `clean`: the other end said goodbye (`serveStream` says how). Else it was
   * killed, its connection was reset or cut, or it no longer answered: it may still be there.
   */
  onEnd(clean: boolean): void;
}
