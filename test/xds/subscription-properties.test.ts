/**
 * A client that changes its mind, at random: names and wildcards come and go, also while responses are on
 * their way, and what there is changes meanwhile. Nothing is sent that is not asked for; in the end the
 * client has what it asks for and was told what there is not, and nothing is said twice. Nothing refers
 * to anything here: that is what `stream-properties.test.ts` plays.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Random, seededRandom } from '../../controller/base/random.js';
import type { Snapshot } from '../../controller/envoy/snapshot.js';
import { namedList } from '../../controller/xds/named-list.js';
import { createStream, next, publish, receive } from '../../controller/xds/stream.js';
import type { Response, StreamState, Variant } from '../../controller/xds/stream-state.js';
import { plainResource, plainSnapshot } from '../support/plain-snapshots.js';

/** Of each kind of run; `HEADGATE_SEEDS` runs more. */
const seeds = Number(process.env.HEADGATE_SEEDS ?? 1_500);
const moves = 40;
const names = ['a', 'b', 'c', 'd'];

/** A complete list, or a partial one: of clusters and of routes the rules differ. */
type Type = 'cluster' | 'route';

/** What is asked for, as both sides understand the same requests. */
class Wanted {
  isWildcard = false;
  readonly names = new Set<string>();
  private hasNamed = false;
  private isFirst = true;

  constructor(private readonly type: Type) {}

  has(name: string): boolean {
    return this.isWildcard || this.names.has(name);
  }

  replace(list: readonly string[]): void {
    this.hasNamed ||= list.length > 0;
    this.isWildcard = list.includes('*') || (!this.hasNamed && this.type === 'cluster');
    this.names.clear();
    for (const name of list.filter((each) => each !== '*')) {
      this.names.add(name);
    }
  }

  change(subscribe: readonly string[], unsubscribe: readonly string[]): void {
    const isLegacy = this.isFirst && subscribe.length === 0 && this.type === 'cluster';
    this.isFirst = false;
    this.isWildcard ||= subscribe.includes('*') || isLegacy;
    this.isWildcard &&= !unsubscribe.includes('*');
    for (const name of subscribe.filter((each) => each !== '*')) {
      this.names.add(name);
    }
    for (const name of unsubscribe) {
      this.names.delete(name);
    }
  }
}

class Client {
  readonly held = new Map<string, string>();
  /** Names of which it was told that there is nothing. */
  readonly missing = new Set<string>();
  /** State of the world: names given up in requests that were stale, which the server never heard of. */
  readonly unheard = new Set<string>();
  /** It asked for all anew and has heard nothing since. */
  isOwed = false;
  readonly wanted: Wanted;
  private readonly served: Wanted;
  private readonly toServer: (() => void)[] = [];
  private readonly toClient: Response[] = [];
  private nonce = '';
  private isFirst = true;

  constructor(
    private readonly variant: Variant,
    private readonly type: Type,
    private readonly stream: StreamState,
    private readonly log: string[],
  ) {
    this.wanted = new Wanted(type);
    this.served = new Wanted(type);
  }

  /** Asks for something else than before. `isAnew`: it has lost all that it had. */
  ask(random: Random, isAnew: boolean): void {
    // In the state of the world a wildcard is for clusters and listeners alone.
    const isNamed = this.variant === 'sotw' && this.type === 'route';
    const all = isNamed ? names : [...names, '*'];
    const some = (): string[] => all.filter(() => random() < 0.3);
    if (this.variant === 'delta') {
      const subscribe = some();
      // What a first request means that only gives up is nowhere said.
      const unsubscribe = this.isFirst ? [] : some().filter((name) => !subscribe.includes(name));
      this.isFirst = false;
      this.sendDelta(subscribe, unsubscribe, '');
      return;
    }
    if (isAnew && !this.isFirst) {
      this.held.clear();
      this.nonce = '';
    } else {
      this.wanted.replace(some());
      this.forget();
    }
    this.isOwed ||= isAnew && !this.isFirst && this.type === 'cluster' && this.wanted.isWildcard;
    this.isFirst = false;
    this.sendList();
  }

  /** Nothing is on its way. */
  get isCalm(): boolean {
    return this.toServer.length + this.toClient.length === 0;
  }

  /** The server takes in the oldest request, or the client the oldest response. */
  deliver(random: Random): void {
    const isToServer = this.toClient.length === 0 || random() < 0.5;
    const response = isToServer ? undefined : this.toClient.shift();
    if (response === undefined) {
      this.toServer.shift()?.();
    } else {
      this.take(response);
    }
  }

  /** The server sends all that is due. */
  pump(): void {
    for (let response = next(this.stream, 0); response; response = next(this.stream, 0)) {
      const label = response.resources.map(({ any }) => String(any)).join(' ');
      this.log.push(`< ${response.nonce} ${label} without ${response.removed}`);
      for (const { name } of response.resources) {
        assert.ok(this.served.has(name), `${name} is sent and was not asked for`);
      }
      this.toClient.push(response);
    }
  }

  private take({ resources, removed, nonce }: Response): void {
    this.log.push(`  taken: ${nonce}`);
    this.nonce = nonce;
    this.isOwed = false;
    if (this.variant === 'sotw' && this.type === 'cluster') {
      this.held.clear();
    }
    for (const { name, version } of resources) {
      this.held.set(name, version);
      this.missing.delete(name);
    }
    for (const name of removed) {
      this.held.delete(name);
      this.missing.add(name);
    }
    this.forget();
    if (this.variant === 'delta') {
      this.sendDelta([], [], nonce);
    } else {
      this.sendList();
    }
  }

  /** What is no longer wanted, it does not keep. */
  private forget(): void {
    for (const name of names.filter((each) => !this.wanted.has(each))) {
      this.held.delete(name);
      this.missing.delete(name);
    }
  }

  private sendList(): void {
    const { nonce } = this;
    const list = [...this.wanted.names, ...(this.wanted.isWildcard ? ['*'] : [])];
    this.log.push(`> ${list} for ${nonce}`);
    this.toServer.push(() => {
      this.log.push(`  served: ${list} for ${nonce}`);
      const { lastNonce } = this.stream.types.get(this.type) ?? { lastNonce: '' };
      const isStale = nonce !== '' && nonce !== lastNonce;
      const dropped = names.filter((name) => !list.includes(name) && !list.includes('*'));
      for (const name of dropped) {
        this.unheard[isStale ? 'add' : 'delete'](name);
      }
      if (!isStale) {
        this.served.replace(list);
      }
      const resourceNames = namedList(list);
      const request = { kind: 'sotw', type: this.type, versionInfo: '', resourceNames, nonce };
      receive(this.stream, { ...request, kind: 'sotw' }, 0);
    });
  }

  private sendDelta(
    subscribe: readonly string[],
    unsubscribe: readonly string[],
    nonce: string,
  ): void {
    this.log.push(`> +${subscribe} -${unsubscribe} for ${nonce}`);
    this.wanted.change(subscribe, unsubscribe);
    this.forget();
    this.toServer.push(() => {
      this.log.push(`  served: +${subscribe} -${unsubscribe} for ${nonce}`);
      this.served.change(subscribe, unsubscribe);
      const change = { subscribe: namedList(subscribe), unsubscribe: namedList(unsubscribe) };
      const request = {
        kind: 'delta',
        type: this.type,
        initialVersions: new Map(),
        nonce,
      } as const;
      receive(this.stream, { ...request, ...change }, 0);
    });
  }
}

function run(variant: Variant, type: Type, seed: number, log: string[]): void {
  const random = seededRandom(seed);
  const stream = createStream(
    {
      variant,
      types: ['cluster', 'route', 'secret'],
      noncePrefix: '',
      ackTimeoutMs: 1_000,
      findSet: () => undefined,
      findLatest: () => undefined,
      keepSet: () => {
        // Nobody comes back here.
      },
    },
    0,
  );
  const client = new Client(variant, type, stream, log);
  let snapshot: Snapshot = plainSnapshot({});
  const serve = (secret: string): void => {
    publish(stream, snapshot, 1, 0);
    log.push(
      `published ${[...snapshot[type].byName.values()].map(({ any }) => String(any))}${secret}`,
    );
  };
  const change = (): void => {
    const existing = names.filter(() => random() < 0.5);
    const resources = existing.map((name) => plainResource(name, String(random() < 0.5)));
    snapshot = plainSnapshot({ [type]: resources });
    serve('');
  };
  change();
  for (let count = 0; count < moves; count += 1) {
    const draw = random();
    if (draw < 0.2) {
      change();
    } else if (draw < 0.4) {
      client.ask(random, random() < 0.3);
    } else {
      client.deliver(random);
    }
    if (random() < 0.7) {
      client.pump();
    }
  }
  let turns = 0;
  for (client.pump(); !client.isCalm; client.pump()) {
    client.deliver(random);
    turns += 1;
    assert.ok(turns < 10 * moves, 'it does not come to rest');
  }
  const existing = [...snapshot[type].byName.values()].filter(({ name }) =>
    client.wanted.has(name),
  );
  for (const { name, version } of existing.filter((each) => !client.unheard.has(each.name))) {
    assert.is(client.held.get(name), version, `${name} is not what it is to be`);
  }
  const isComplete = variant === 'delta' || type === 'cluster';
  assert.ok(!isComplete || client.held.size === existing.length, 'something that is gone is kept');
  for (const name of variant === 'delta' ? client.wanted.names : []) {
    const isThere = snapshot[type].byName.has(name);
    assert.ok(isThere || client.missing.has(name), `nothing is said of ${name}`);
  }
  assert.not(client.isOwed, 'what it asked anew is not answered');
  snapshot = plainSnapshot({
    [type]: [...snapshot[type].byName.values()],
    secret: [plainResource('s', String(seed))],
  });
  serve(' and a secret');
  assert.is(next(stream, 0), undefined, 'something is said twice');
}

for (const variant of ['sotw', 'delta'] as const) {
  for (const type of ['cluster', 'route'] as const) {
    test(`7, 15, 16, 27, 31–33: ${variant}, ${type}: what is asked for is what is sent`, () => {
      for (let seed = 1; seed <= seeds; seed += 1) {
        const log: string[] = [];
        try {
          run(variant, type, seed, log);
        } catch (error) {
          const story = log.slice(-60).join('\n');
          throw new Error(`seed ${seed}: ${(error as Error).message}\n${story}`, { cause: error });
        }
      }
    });
  }
}

test.run();
