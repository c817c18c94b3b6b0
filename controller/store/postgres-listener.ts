/**
 * Hears PostgreSQL's NOTIFY on a connection of its own. It only wakes readers that look from time to time
 * anyway: what is sent while it reconnects is lost, and behind a pooler nothing may ever arrive. So
 * every new connection wakes them all once.
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

export class PostgresListener {
  private client: pg.Client | undefined;
  private cancelReconnect = (): void => {};
  private isStopped = false;
  private isFailing = false;
  private wake: (topic: WakeTopic) => void = () => {};

  constructor(
    private readonly settings: PostgresSettings,
    private readonly deps: { readonly clock: Clock; readonly logger: Logger },
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
  }

  private lost(client: pg.Client, error: unknown): void {
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
