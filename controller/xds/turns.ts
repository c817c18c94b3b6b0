/**
 * Lets many connections have work done one after another, and other events of the process between them. A
 * turn is short whatever there is to do: who asks for much waits behind itself, and not others behind it.
 * Connections take turns, not streams, so that a peer gains nothing by opening many; and those that have
 * lately had more than their share come last, one piece of work in each turn.
 */

/** Work that may be done in parts, of a few milliseconds each at most. */
export interface Task {
  /** Does the next part. True: there is none left. */
  run(): boolean;
}

/** What may have something to send. */
export interface Sender {
  flush(): void;
}

/** A stream that need not be read for a while. */
export interface Readable {
  pause(): void;
  resume(): void;
}

/** The work of one connection: what it has sent first, in its order, since it may be answered together. */
export class Lane {
  private readonly incoming: Task[] = [];
  /** Each once, however often it was added. */
  private readonly senders = new Set<Sender>();
  private readonly heldBack = new Set<Readable>();
  private spentMs = 0;
  private atMs = 0;

  get isEmpty(): boolean {
    return this.incoming.length === 0 && this.senders.size === 0;
  }

  /** Something that it has sent has still to be done. */
  get hasBacklog(): boolean {
    return this.incoming.length > 0;
  }

  addTask(task: Task): void {
    this.incoming.push(task);
  }

  /** Nothing of `stream` is read until all that the connection has sent so far is done. */
  holdBack(stream: Readable): void {
    if (!this.heldBack.has(stream)) {
      this.heldBack.add(stream);
      stream.pause();
    }
  }

  addSender(sender: Sender): void {
    this.senders.add(sender);
  }

  /**
   * Does one part of what there is to do. False: that is all for this turn, since streams are read again, and
   * what they have held back is to be answered together with what came before it.
   */
  step(): boolean {
    const [task] = this.incoming;
    const [sender] = this.senders;
    if (task !== undefined) {
      if (!task.run()) {
        return true;
      }
      this.incoming.shift();
      return this.incoming.length > 0 || !this.release();
    }
    if (sender !== undefined) {
      // Before it sends: it may be added again.
      this.senders.delete(sender);
      sender.flush();
    }
    return true;
  }

  /** True where a stream was held back. */
  private release(): boolean {
    const streams = [...this.heldBack];
    this.heldBack.clear();
    for (const stream of streams) {
      stream.resume();
    }
    return streams.length > 0;
  }

  /** It had the processor for `ms` until `nowMs`. */
  spent(ms: number, nowMs: number): void {
    const regained = (nowMs - this.atMs) * share;
    this.spentMs = Math.max(0, this.spentMs - regained) + ms;
    this.atMs = nowMs;
  }

  /** It has lately had more than its share of the processor. */
  isGreedy(nowMs: number): boolean {
    return this.spentMs - (nowMs - this.atMs) * share > burstMs;
  }
}

/**
 * Of the processor's time, what a connection may have before others come first: several times what a proxy
 * needs that is given everything anew in the largest mesh that we test.
 */
const share = 0.1;
const burstMs = 50;

/** How long a turn may take before other events are looked at. */
const turnMs = 5;

/**
 * Parts of work in a turn however long they take: on a machine that is busy with other things, time passes
 * without anything being done, and turns that did next to nothing would cost more than they give others.
 */
const partsPerTurn = 8;

/**
 * The same after a connection has come in, since the next one probably waits: libuv accepts one between two
 * turns (since 1.45), and a fleet that comes back at once must not wait for its last proxy's connection until
 * the first are served.
 */
const arrivalTurnMs = 1;

export class Turns {
  private readonly nowMs: () => number;
  private readonly prompt = new Set<Lane>();
  private readonly greedy = new Set<Lane>();
  private isUnderWay = false;
  private hasArrival = false;
  /** What was done at once since the last turn. */
  private atOnceMs = 0;

  /** `nowMs` counts milliseconds, and parts of them, from any time. */
  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  /** `sender` is flushed in its lane's turn, and once however often this is called until then. */
  add(lane: Lane, sender: Sender): void {
    lane.addSender(sender);
    this.enqueue(lane);
  }

  /** The same, at once where that may be. */
  flush(lane: Lane, sender: Sender): void {
    const isDone = this.atOnce(lane, () => {
      sender.flush();
      return true;
    });
    if (!isDone) {
      this.add(lane, sender);
    }
  }

  /** Does `task` at once where that may be and it does not take long, else in its turn. True: it is done. */
  enter(lane: Lane, task: Task): boolean {
    const isDone = this.atOnce(lane, () => task.run());
    if (!isDone) {
      lane.addTask(task);
      this.enqueue(lane);
    }
    return isDone;
  }

  /**
   * Does work until it says that it is done, and not for longer than a turn; nothing where something waits
   * that its lane has sent before, or where the processor is wanted by others. True: it is done.
   */
  private atOnce(lane: Lane, run: () => boolean): boolean {
    const startMs = this.nowMs();
    if (lane.hasBacklog || lane.isGreedy(startMs) || this.atOnceMs >= turnMs) {
      return false;
    }
    let [isDone, endMs] = [false, startMs];
    while (!isDone && endMs - startMs < turnMs) {
      isDone = run();
      endMs = this.nowMs();
    }
    lane.spent(endMs - startMs, endMs);
    this.atOnceMs += endMs - startMs;
    this.goOn();
    return isDone;
  }

  /** A connection has come in. */
  noteArrival(): void {
    this.hasArrival = true;
  }

  private enqueue(lane: Lane): void {
    if (!this.prompt.has(lane) && !this.greedy.has(lane)) {
      (lane.isGreedy(this.nowMs()) ? this.greedy : this.prompt).add(lane);
    }
    this.goOn();
  }

  private goOn(): void {
    if (!this.isUnderWay) {
      this.isUnderWay = true;
      setImmediate(() => this.take());
    }
  }

  private take(): void {
    const endMs = this.nowMs() + (this.hasArrival ? arrivalTurnMs : turnMs);
    const partsMin = this.hasArrival ? 1 : partsPerTurn;
    this.hasArrival = false;
    this.atOnceMs = 0;
    const later = [
      ...this.serve(this.prompt, endMs, partsMin),
      ...this.serve(this.greedy, endMs, 1),
    ];
    for (const lane of later) {
      this.enqueue(lane);
    }
    this.isUnderWay = this.prompt.size + this.greedy.size > 0;
    if (this.isUnderWay) {
      setImmediate(() => this.take());
    }
  }

  /** One part of work for a lane after another, until `endMs`, and `partsMin` at least. The lanes to go on with later. */
  private serve(lanes: Set<Lane>, endMs: number, partsMin: number): readonly Lane[] {
    const later: Lane[] = [];
    let parts = 0;
    let beganMs = this.nowMs();
    for (const lane of lanes) {
      lanes.delete(lane);
      const goesOn = lane.step();
      const nowMs = this.nowMs();
      lane.spent(nowMs - beganMs, nowMs);
      beganMs = nowMs;
      if (!lane.isEmpty && goesOn) {
        this.enqueue(lane);
      } else if (!lane.isEmpty) {
        later.push(lane);
      }
      parts += 1;
      if (nowMs >= endMs && parts >= partsMin) {
        break;
      }
    }
    return later;
  }
}
