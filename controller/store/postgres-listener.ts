/**
 * Hears PostgreSQL's NOTIFY on a connection of its own. It only wakes readers that look from time to time
 * anyway: what is sent while it reconnects is lost, and behind a pooler nothing may ever arrive. So
 * every new connection wakes them all once, and says so where it does not hear even itself.
 */
import pg from 'pg';
import { errorText } from '../base/op-error.js';
import type { Clock, Logger } from '../loop/ports.js';
import type { WakeTopic } from '../replicas/ports.js';
import { clientConfig } from './postgres-connection.js';
import { toPostgresError } from './postgres-errors.js';
import type { PostgresSettings } from './postgres-settings.js';

const topics: readonly WakeTopic[] = ['state', 'lease', 'news', 'commands', 'poll'];

const reconnectMs = 1_000;
/** A notification takes milliseconds; a slow database's takes no longer than its answers may. */
const echoMs = 5_000;

export interface ListenerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What nobody else sends: this listener's own sign. */
  readonly echo: string;
  /** Sends `payload` to all listeners, over another connection. */
  readonly notify: (payload: string) => Promise<unknown>;
}

export class PostgresListener {
  private client: pg.Client | undefined;
  private cancelReconnect = (): void => {};
  private cancelEcho = (): void => {};
  private isStopped = false;
  private isFailing = false;
  private isDeaf = false;
  private wake: (topic: WakeTopic) => void = () => {};

  constructor(
    private readonly settings: PostgresSettings,
    private readonly deps: ListenerDeps,
  ) {}

  onWake(wake: (topic: WakeTopic) => void): void {
    this.wake = wake;
  }

  start(): void {
    void this.connect();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.cancelReconnect();
    this.cancelEcho();
    // A server that does not answer any more does not say goodbye either.
    const limit = new Promise<void>((resolve) => {
      this.deps.clock.after(reconnectMs, resolve);
    });
    await Promise.race([this.client?.end().catch(() => undefined), limit]);
  }

  private async connect(): Promise<void> {
    const client = new pg.Client(clientConfig(this.settings));
    this.client = client;
    let isLost = false;
    const lose = (error?: unknown): void => {
      if (!isLost) {
        isLost = true;
        this.lost(client, error);
      }
    };
    client.on('error', lose);
    client.on('end', () => lose());
    client.on('notification', ({ payload }) => {
      const topic = topics.find((one) => one === payload);
      if (topic !== undefined) {
        this.wake(topic);
      } else if (payload === this.deps.echo) {
        this.heardItself();
      }
    });
    try {
      await client.connect();
      await client.query('LISTEN headgate');
    } catch (error) {
      lose(error);
      return;
    }
    if (this.isFailing) {
      this.deps.logger.info('store.listening', { place: this.settings.place });
    }
    this.isFailing = false;
    for (const topic of topics) {
      this.wake(topic);
    }
    this.listenForItself();
  }

  /** A pooler that lends connections out by the transaction takes `LISTEN`, and passes nothing on. */
  private listenForItself(): void {
    this.cancelEcho();
    if (this.isStopped) {
      return;
    }
    this.cancelEcho = this.deps.clock.after(echoMs, () => {
      if (!this.isDeaf) {
        this.isDeaf = true;
        this.deps.logger.warn('store.notNotified', { place: this.settings.place });
      }
    });
    // What fails here fails everywhere, and is told there.
    this.deps.notify(this.deps.echo).catch(() => this.cancelEcho());
  }

  private heardItself(): void {
    this.cancelEcho();
    if (this.isDeaf) {
      this.isDeaf = false;
      this.deps.logger.info('store.listening', { place: this.settings.place });
    }
  }

  private lost(client: pg.Client, error: unknown): void {
    this.cancelEcho();
    client.end().catch(() => undefined);
    if (this.isStopped) {
      return;
    }
    if (!this.isFailing) {
      const text = errorText(toPostgresError(error ?? new Error('closed'), this.settings.place));
      this.deps.logger.warn('store.notListening', { error: text });
    }
    this.isFailing = true;
    this.cancelReconnect = this.deps.clock.after(reconnectMs, () => void this.connect());
  }
}
