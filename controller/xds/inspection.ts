/**
 * Looks at all connections now and then, cuts those that misbehave, and keeps who did from coming back at
 * once: a connection that is cut costs its peer nothing but a new one.
 */
import { forgetOldest } from '../base/forget-oldest.js';
import {
  type Conduct,
  type ConductLimits,
  misconduct,
  newConduct,
  observed,
  type Traffic,
} from './conduct.js';
import { bannedPeersMax, looseBytesMax } from './limits.js';

/** A connection as it is inspected. */
export interface Inspected {
  /** `address:port`. */
  readonly peer: string;
  /**
   * Whom a cut is remembered for: the certificate that was shown and the address, else the address alone.
   * Undefined: nobody, since all that this machine runs has the same address.
   */
  readonly culprit: string | undefined;
  traffic(): Traffic;
  cut(): void;
}

export interface InspectionOptions extends ConductLimits {
  /** For how long nobody comes back who was cut. */
  readonly banMs: number;
  onCut(connection: Inspected, why: string): void;
}

export class Inspection<C extends Inspected> {
  private readonly options: InspectionOptions;
  private readonly conducts = new Map<C, Conduct>();
  /** Until when each culprit is kept out, the oldest first. */
  private readonly bans = new Map<string, number>();
  /** Until when somebody may come back who cannot be told from others. */
  private waryUntilMs = 0;

  constructor(options: InspectionOptions) {
    this.options = options;
  }

  add(connection: C, nowMs: number): void {
    this.conducts.set(connection, newConduct(nowMs));
  }

  remove(connection: C): void {
    this.conducts.delete(connection);
  }

  isBanned(culprit: string | undefined, nowMs: number): boolean {
    return culprit !== undefined && (this.bans.get(culprit) ?? nowMs) > nowMs;
  }

  /** `culprit`, whom nothing tells from others, may have been cut a moment ago. */
  isDoubtful(culprit: string | undefined, nowMs: number): boolean {
    return culprit === undefined && nowMs < this.waryUntilMs;
  }

  /**
   * Cuts every connection that misbehaves. Answers the bytes that have come on all of them since they were
   * looked at before. Where all together hold too much, those go that hold most.
   */
  inspect(nowMs: number): number {
    let [looseBytes, cameBytes] = [0, 0];
    for (const [connection, { traffic }] of this.conducts) {
      looseBytes += this.look(connection, nowMs);
      const after = this.conducts.get(connection)?.traffic ?? traffic;
      cameBytes += after.readBytes - traffic.readBytes;
    }
    if (looseBytes > looseBytesMax) {
      this.cutLargest(looseBytes, nowMs);
    }
    return cameBytes;
  }

  /** Cuts `connection` where it misbehaves. Answers the bytes that it has us hold for messages to come. */
  look(connection: C, nowMs: number): number {
    const before = this.conducts.get(connection);
    if (before === undefined) {
      return 0;
    }
    const conduct = observed(before, connection.traffic(), nowMs);
    this.conducts.set(connection, conduct);
    const why = misconduct(conduct, this.options);
    if (why === undefined) {
      return conduct.looseBytes;
    }
    this.options.onCut(connection, why);
    this.banish(connection, nowMs);
    return 0;
  }

  /** Cuts `connection` and keeps its culprit out for a while. */
  banish(connection: C, nowMs: number): void {
    this.remove(connection);
    this.ban(connection.culprit, nowMs);
    connection.cut();
  }

  private cutLargest(together: number, nowMs: number): void {
    const largest = [...this.conducts].sort(([, a], [, b]) => b.looseBytes - a.looseBytes);
    let left = together;
    for (const [connection, { looseBytes }] of largest) {
      if (left <= looseBytesMax) {
        return;
      }
      left -= looseBytes;
      this.options.onCut(connection, 'unfinished messages of all peers take too much memory');
      this.banish(connection, nowMs);
    }
  }

  private ban(culprit: string | undefined, nowMs: number): void {
    if (culprit === undefined) {
      this.waryUntilMs = nowMs + this.options.banMs;
      return;
    }
    this.bans.delete(culprit);
    this.bans.set(culprit, nowMs + this.options.banMs);
    forgetOldest(this.bans, bannedPeersMax);
  }
}
