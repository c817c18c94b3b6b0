/** Notices that the wall clock has jumped between two events of the loop. */

/**
 * While anything runs there is a tick a second, so a minute without one is a machine that slept or a clock
 * that was set. A clock that is slewed goes back by milliseconds.
 */
const jumpMs = { forward: 60_000, back: 1000 } as const;

export class ClockWatch {
  /** Times are milliseconds since 1970. */
  constructor(private seenAtMs: number) {}

  /**
   * How far the clock went since the last look, in milliseconds, where that is a jump; else undefined.
   * Only where something `isWaiting` does a long time without an event mean one.
   */
  look(nowMs: number, isWaiting: boolean): number | undefined {
    const passedMs = nowMs - this.seenAtMs;
    this.seenAtMs = nowMs;
    const isJump = passedMs < -jumpMs.back || (passedMs > jumpMs.forward && isWaiting);
    return isJump ? passedMs : undefined;
  }
}
