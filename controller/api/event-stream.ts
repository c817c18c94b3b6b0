/**
 * Server-sent events (WHATWG HTML, "Server-sent events") over one `EventLog` for all who listen. A
 * reader that is too slow is not waited for and not buffered for: it is sent nothing until its socket
 * has drained, and then what it missed, from the log, or the whole status where that is gone.
 */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../loop/ports.js';
import type { ApiEvent, EventLog } from './event-log.js';
import { viewMesh } from './mesh-view.js';
import type { Moment } from './view.js';

/** Enough for every screen of a team; each costs a socket and a comparison a change. */
const subscribersMax = 64;

/** Bursts (a report from each of a hundred proxies) become one look at the state. */
const coalesceMs = 250;

/** How often what no event tells of (figures, acknowledgements) is looked at while anybody listens. */
const lookMs = 1000;

/** A graph of more bytes is made and sent at every fifth look only: making it takes time from the proxies. */
const largeGraphBytes = 256 * 1024;
const looksPerLargeGraph = 5;

/** Below the idle timeouts of the usual proxies, of which 30 s is the shortest. */
const heartbeatMs = 15_000;

/** How soon a browser connects again. */
const retryMs = 2000;

/** What it needs of a response. */
export type EventSink = Pick<ServerResponse, 'writeHead' | 'write' | 'end' | 'on'>;

interface Subscriber {
  readonly response: EventSink;
  /** The mesh whose graph it looks at. */
  readonly mesh?: string;
  readonly expiresAtMs?: number;
  lastId: string;
  /** The graph that it was sent last, as JSON. */
  lastGraph: string;
  isBlocked: boolean;
}

export interface Subscription {
  /** When the listener's session ends, and the stream with it. */
  readonly expiresAtMs?: number;
  /** Goes on after this event; empty: begins with the status. */
  readonly lastId: string;
  /** The mesh whose graph is to be sent too, whenever it changes: events `mesh`, which have no id. */
  readonly mesh?: string;
}

export interface EventStreamOptions {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly moment: () => Moment;
}

export class EventStream {
  private readonly options: EventStreamOptions;
  private readonly subscribers = new Set<Subscriber>();
  /** False until somebody listens for the first time: then nobody has missed anything. */
  private isWatched = false;
  private cancelLook: (() => void) | undefined;
  private cancelHeartbeat: (() => void) | undefined;
  private cancelRegularLook: (() => void) | undefined;
  private looks = 0;

  constructor(options: EventStreamOptions) {
    this.options = options;
  }

  isFull(): boolean {
    return this.subscribers.size >= subscribersMax;
  }

  /** The state has changed: whoever listens hears of it soon. */
  stateChanged(): void {
    if (!this.isWatched) {
      return;
    }
    this.cancelLook ??= this.options.clock.after(coalesceMs, () => {
      this.cancelLook = undefined;
      this.look();
    });
  }

  private look(): void {
    this.options.log.look(this.options.moment());
    for (const subscriber of this.subscribers) {
      this.catchUp(subscriber);
    }
  }

  subscribe(response: EventSink, { lastId, mesh, expiresAtMs }: Subscription): void {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      // A stream that ends, ends its socket: nothing idle is left for a stop to wait for.
      Connection: 'close',
      'X-Accel-Buffering': 'no',
    });
    response.write(`retry: ${retryMs}\n\n`);
    const subscriber: Subscriber = {
      ...{ response, mesh, expiresAtMs, lastId },
      lastGraph: '',
      isBlocked: false,
    };
    this.subscribers.add(subscriber);
    if (!this.isWatched) {
      this.isWatched = true;
      this.options.log.look(this.options.moment());
    }
    response.on('close', () => this.subscribers.delete(subscriber));
    response.on('drain', () => {
      subscriber.isBlocked = false;
      this.catchUp(subscriber);
    });
    this.catchUp(subscriber);
    this.sendGraphs();
    this.cancelHeartbeat ??= this.scheduleHeartbeat();
    this.cancelRegularLook ??= this.scheduleLook();
  }

  /** Ends every stream; clients come back by themselves. */
  stop(): void {
    this.cancelLook?.();
    this.cancelHeartbeat?.();
    this.cancelRegularLook?.();
    for (const { response } of this.subscribers) {
      response.end();
    }
  }

  private catchUp(subscriber: Subscriber): void {
    if (subscriber.isBlocked) {
      return;
    }
    const { log, moment } = this.options;
    const missed = log.since(subscriber.lastId) ?? [log.snapshot(moment())];
    for (const event of missed) {
      subscriber.lastId = event.id;
      subscriber.isBlocked = !subscriber.response.write(renderEvent(event));
      if (subscriber.isBlocked) {
        return;
      }
    }
  }

  /** To each subscriber the graph of its mesh, where that is not what it was sent last. */
  private sendGraphs(): void {
    const graphs = new Map<string, string>();
    for (const subscriber of this.subscribers) {
      const { mesh, isBlocked, response } = subscriber;
      const isLarge = subscriber.lastGraph.length > largeGraphBytes;
      if (mesh === undefined || isBlocked || (isLarge && this.looks % looksPerLargeGraph > 0)) {
        continue;
      }
      const graph =
        graphs.get(mesh) ?? JSON.stringify(viewMesh(mesh, this.options.moment()) ?? null);
      graphs.set(mesh, graph);
      if (graph !== subscriber.lastGraph) {
        subscriber.lastGraph = graph;
        subscriber.isBlocked = !response.write(`event: mesh\ndata: ${graph}\n\n`);
      }
    }
  }

  private endExpired(): void {
    const nowMs = this.options.clock.now();
    for (const { response, expiresAtMs } of this.subscribers) {
      if (expiresAtMs !== undefined && expiresAtMs <= nowMs) {
        response.end();
      }
    }
  }

  private scheduleLook(): () => void {
    return this.options.clock.after(lookMs, () => {
      this.endExpired();
      this.looks += 1;
      this.look();
      this.sendGraphs();
      this.cancelRegularLook = this.subscribers.size > 0 ? this.scheduleLook() : undefined;
    });
  }

  private scheduleHeartbeat(): () => void {
    return this.options.clock.after(heartbeatMs, () => {
      for (const { response, isBlocked } of this.subscribers) {
        if (!isBlocked) {
          response.write(': still here\n\n');
        }
      }
      this.cancelHeartbeat = this.subscribers.size > 0 ? this.scheduleHeartbeat() : undefined;
    });
  }
}

/** JSON has no newline of its own, so one `data` line holds it. */
function renderEvent(event: ApiEvent): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${event.json}\n\n`;
}
