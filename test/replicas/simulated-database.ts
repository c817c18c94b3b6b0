/**
 * The database that replicas share, in memory: the same fencing and the same lease as the real one, on a
 * clock that a test moves; and it can be cut off from one replica, answer errors after the fact, pause
 * between a replica's question and its answer, and lose its last commits.
 */
import { OpError } from '../../controller/base/op-error.js';
import type { Clock, Store, StoreWrite, Transaction } from '../../controller/loop/ports.js';
import type { News, Position, SharedDatabase, WakeTopic } from '../../controller/replicas/ports.js';
import { noMail } from '../support/no-mail.js';

interface Row extends StoreWrite {
  readonly seq: number;
}

interface Tables {
  lease: { epoch: number; holder: string; untilMs: number };
  head: Position;
  rows: ReadonlyMap<string, Row>;
  /** Who wrote each commit. */
  commits: readonly { readonly epoch: number; readonly holder: string; readonly seq: number }[];
}

/** How long it is known that a proxy went. */
const newsKeptMs = 60_000;

export class SimulatedDatabase {
  tables: Tables = {
    lease: { epoch: 0, holder: '', untilMs: 0 },
    head: { epoch: 0, seq: 0 },
    rows: new Map(),
    commits: [],
  };
  /** Replicas that cannot reach it. */
  readonly cutOff = new Set<string>();
  /** The next commit of this replica is durable and answers with an error. */
  failsAfterwards: string | undefined;
  /** All takings of the lease. */
  readonly taken: { readonly epoch: number; readonly holder: string }[] = [];
  private readonly told = new Map<
    string,
    {
      news: News;
      atMs: number;
      proxies: Map<string, { json: string | null; seq: number; atMs: number }>;
    }
  >();
  private readonly batches: { replica: string; seq: number; atMs: number; json: string }[] = [];
  private readonly commands: { id: number; json: string; answer?: string; untilMs: number }[] = [];
  private readonly listeners = new Map<string, (topic: WakeTopic) => void>();

  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly leaseMs: number,
  ) {}

  /** What a standby that was behind has: everything but the last `count` commits. */
  backUp(): Tables {
    const { lease, ...rest } = this.tables;
    return { ...rest, lease: { ...lease } };
  }

  /** Nothing that `replica` told is known any more. */
  forget(replica: string): void {
    this.told.delete(replica);
  }

  open(replica: string): SharedDatabase {
    const reach = (): void => {
      if (this.cutOff.has(replica)) {
        throw new OpError('store-unreachable', 'cut off', { retry: { kind: 'backoff' } });
      }
    };
    const asked = async <T>(work: () => T): Promise<T> => {
      await Promise.resolve();
      reach();
      return work();
    };
    return {
      term: (epoch, seenSeq = 0, onCommit = () => {}) =>
        this.term({ replica, epoch, seenSeq, onCommit }, asked),
      reader: { history: async () => [], deadLetters: async () => [] },
      changesSince: (since) =>
        asked(() => {
          const { head, rows } = this.tables;
          const values = [...rows.values()].filter(({ seq, json }) =>
            since === undefined ? json !== null : seq > since.seq,
          );
          return { position: head, isWhole: since === undefined, values };
        }),
      lease: () =>
        asked(() => {
          const { epoch, holder, untilMs } = this.tables.lease;
          return { epoch, holder, isFree: untilMs < this.clock.now(), isLeftBehind: false };
        }),
      takeLease: (above) =>
        asked(() => {
          const { lease } = this.tables;
          if (lease.untilMs >= this.clock.now()) {
            return undefined;
          }
          const epoch = Math.max(lease.epoch, above) + 1;
          this.tables.lease = { epoch, holder: replica, untilMs: this.clock.now() + this.leaseMs };
          this.taken.push({ epoch, holder: replica });
          return epoch;
        }),
      renewLease: (epoch, seenSeq) =>
        asked(() => {
          const { lease, head } = this.tables;
          const isOurs = lease.epoch === epoch && lease.holder === replica && head.seq >= seenSeq;
          if (isOurs) {
            lease.untilMs = this.clock.now() + this.leaseMs;
          }
          return isOurs;
        }),
      releaseLease: (epoch) =>
        asked(() => {
          const { lease } = this.tables;
          if (lease.epoch === epoch && lease.holder === replica) {
            lease.untilMs = Number.NEGATIVE_INFINITY;
          }
        }),
      tell: (news) =>
        asked(() => {
          const known = this.told.get(replica)?.proxies ?? new Map();
          for (const [id, json] of news.proxies) {
            known.set(id, { json, seq: news.seq, atMs: this.clock.now() });
          }
          for (const [id, { json, atMs }] of known) {
            if (json === null && atMs < this.clock.now() - newsKeptMs) {
              known.delete(id);
            }
          }
          this.told.set(replica, { news, atMs: this.clock.now(), proxies: known });
          if (news.batch !== undefined) {
            this.batches.push({ replica, seq: news.seq, atMs: this.clock.now(), json: news.batch });
          }
          this.wake('news');
        }),
      hear: (heard) =>
        asked(() => {
          const others = [...this.told].filter(([name]) => name !== replica);
          return {
            peers: others.map(([name, { news, atMs }]) => ({
              replica: name,
              silentMs: this.clock.now() - atMs,
              position: news.position,
              json: news.json,
            })),
            news: others.flatMap(([name, { news, proxies }]) => {
              const last = heard.get(name) ?? -1;
              return news.seq <= last
                ? []
                : [
                    {
                      replica: name,
                      seq: news.seq,
                      proxies: new Map(
                        [...proxies]
                          .filter(([, { seq }]) => seq > last)
                          .map(([id, { json }]) => [id, json]),
                      ),
                      batches: this.batches
                        .filter((one) => one.replica === name && one.seq > last)
                        .map(({ seq, json, atMs }) => ({
                          seq,
                          json,
                          ageMs: this.clock.now() - atMs,
                        })),
                    },
                  ];
            }),
          };
        }),
      leave: () => asked(() => void this.told.delete(replica)),
      ask: (json, patienceMs) =>
        asked(() => {
          const id = this.commands.length + 1;
          this.commands.push({ id, json, untilMs: this.clock.now() + patienceMs });
          this.wake('commands');
          return id;
        }),
      asked: () =>
        asked(() =>
          this.commands.filter(
            ({ answer, untilMs }) => answer === undefined && untilMs > this.clock.now(),
          ),
        ),
      answerTo: (id) => asked(() => this.commands[id - 1]?.answer),
      withdraw: (id, json) =>
        asked(() => {
          const command = this.commands[id - 1];
          if (command === undefined || command.answer !== undefined) {
            return false;
          }
          command.answer = json;
          return true;
        }),
      askPoll: async () => {},
      onWake: (listener) => void this.listeners.set(replica, listener),
      close: async () => {},
    };
  }

  private wake(topic: WakeTopic): void {
    for (const [replica, listener] of this.listeners) {
      if (!this.cutOff.has(replica)) {
        listener(topic);
      }
    }
  }

  private term(
    {
      replica,
      epoch,
      seenSeq,
      onCommit,
    }: {
      readonly replica: string;
      readonly epoch: number;
      readonly seenSeq: number;
      readonly onCommit: (seq: number) => void;
    },
    asked: <T>(work: () => T) => Promise<T>,
  ): Store {
    let seen = seenSeq;
    const commit = ({ writes, answers }: Transaction): void => {
      const { lease, head } = this.tables;
      if (lease.epoch !== epoch || lease.holder !== replica) {
        throw new OpError('store-fenced', 'fenced', { retry: { kind: 'stalled' } });
      }
      if (head.seq < seen || head.epoch > epoch) {
        throw new OpError('store-regressed', 'regressed', { retry: { kind: 'stalled' } });
      }
      if (answers?.some(({ command }) => this.commands[command - 1]?.answer !== undefined)) {
        throw new OpError('store-withdrawn', 'withdrawn', { retry: { kind: 'stalled' } });
      }
      const seq = head.seq + 1;
      const rows = new Map(this.tables.rows);
      for (const write of writes) {
        rows.set(JSON.stringify([write.kind, write.key]), { ...write, seq });
      }
      this.tables = {
        lease,
        head: { epoch, seq },
        rows,
        commits: [...this.tables.commits, { epoch, holder: replica, seq }],
      };
      for (const { command, json } of answers ?? []) {
        const found = this.commands[command - 1];
        if (found !== undefined) {
          found.answer = json;
        }
      }
      seen = seq;
      onCommit(seq);
      this.wake('state');
    };
    return {
      ...noMail,
      load: () =>
        asked(() =>
          [...this.tables.rows.values()].flatMap(({ kind, key, json }) =>
            json === null ? [] : [{ kind, key, json }],
          ),
        ),
      commit: (transaction) =>
        asked(() => {
          commit(transaction);
          if (this.failsAfterwards === replica) {
            this.failsAfterwards = undefined;
            throw new OpError('store-doubtful', 'who knows', { retry: { kind: 'backoff' } });
          }
        }),
    };
  }
}
