/** The trace of a commit, told by scripts: the spans of each as a tree, with times and what went wrong. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { revisionId } from '../../controller/base/brand.js';
import type { ProxyStatus } from '../../controller/loop/ports.js';
import type { LoopState } from '../../controller/loop/state.js';
import { CommitTraces } from '../../controller/telemetry/commit-traces.js';
import { observeAll } from '../../controller/telemetry/observer.js';
import { type Span, spanIdOf, traceIdOf } from '../../controller/telemetry/span.js';
import { ScriptedLoop } from '../rollout/scripted-loop.js';

const traces = suite('traces of commits');

/** A loop whose every step the traces observe, as `app.ts` has it. */
class Traced {
  readonly loop = new ScriptedLoop();
  readonly spans: Span[] = [];
  readonly startMs = this.loop.nowMs;
  private traces = this.start();

  /** A new process on the same state. */
  restart(): void {
    this.loop.run('crash');
    this.traces = this.start();
  }

  run(...lines: readonly string[]): void {
    for (const line of lines) {
      this.runLine(line);
    }
  }

  private start(): CommitTraces {
    return new CommitTraces({ seed: 'test', emit: (span) => this.spans.push(span) });
  }

  private runLine(line: string): void {
    const { loop } = this;
    const [command, id = ''] = line.split(' ');
    const isRevision = command === 'commit' || command === 'reject';
    const before = loop.state;
    if (isRevision) {
      this.read(id, command === 'reject' ? 1 : 0);
    }
    loop.run(line);
    const after = loop.state;
    if (command === 'ack') {
      // Its steps come after it: what is published by them is acknowledged by the next one.
      this.ack(before, after);
    }
    if (after.generation !== before.generation) {
      this.traces.published(after.generation, () => [...after.proxies.values()], loop.nowMs);
    }
    this.traces.moved(before, after, loop.nowMs);
    this.traces.handled(isRevision ? 'revisionsRead' : 'tick', 3);
  }

  /** A poll of 200 ms that found it, and 100 ms to decode it. */
  private read(id: string, errors: number): void {
    const { nowMs } = this.loop;
    const revision = {
      ...{ id: revisionId(id), ref: 'main', author: '', committedAtMs: 0, message: '' },
      ...{ files: [], problems: [] },
    };
    this.traces.polled({ kind: 'revision', revision }, { fromMs: nowMs - 300, toMs: nowMs - 100 });
    const info = { id, author: '', title: `change ${id}`, committedAtMs: 0 };
    this.traces.decoded(info, errors, { fromMs: nowMs - 100, toMs: nowMs });
  }

  private ack(before: LoopState, after: LoopState): void {
    for (const proxy of after.proxies.values()) {
      if (proxy !== before.proxies.get(proxy.id)) {
        this.traces.acked(proxy as ProxyStatus, this.loop.nowMs);
      }
    }
  }

  /** The tree of the commit's trace: `name from-to ! error`, in seconds since the start. */
  tree(commit: string): string {
    const traceId = traceIdOf(commit);
    const own = this.spans.filter((span) => span.traceId === traceId);
    const at = (ms: number) => ((ms - this.startMs) / 1000).toFixed(1);
    const lines = (parentId: string | undefined, depth: number): readonly string[] =>
      own
        .filter((span) => span.parentId === parentId)
        .sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs)
        .flatMap(({ name, spanId, fromMs, toMs, error }) => [
          `${'  '.repeat(depth)}${name} ${at(fromMs)}-${at(toMs)}${error ? ` ! ${error}` : ''}`,
          ...lines(spanId, depth + 1),
        ]);
    const tree = lines(undefined, 0);
    assert.is(tree.length, own.length, `spans without a parent:\n${tree.join('\n')}`);
    return tree.join('\n');
  }
}

const begin = [
  'policy steps=10,100 bake=4s min=99 requests=5',
  'connect web1',
  'commit a1 checkout:v1=100,v2=0',
  'ack',
  'tick 1s',
];

const good = ['traffic checkout-v1 ok=90', 'traffic checkout-v2 ok=10'];
const second = ['tick 1s', 'ack'];

traces('go from the fetch over each step, its gates and pushes to the last ACK', () => {
  const traced = new Traced();
  traced.run(...begin, ...good, 'commit b2 checkout:v1=0,v2=100', 'tick 1s', 'ack');
  traced.run(...Array.from({ length: 14 }, () => second).flat());
  assert.is(
    traced.tree('b2'),
    `commit 0.7-11.0
  fetch 0.7-0.9
  validate 0.9-1.0
  plan 1.0-1.0
  rollout checkout 1.0-11.0
    step 1/2 1.0-6.0
      push 1.0-2.0
        ack 1.0-2.0
      gate errors 2.0-6.0
    step 2/2 6.0-10.0
      push 6.0-6.0
        ack 6.0-6.0
      gate errors 6.0-10.0
    complete 10.0-11.0
      push 10.0-10.0
        ack 10.0-10.0
      push 10.0-11.0
        ack 10.0-11.0`,
  );
  const gate = traced.spans.find(({ name }) => name === 'gate errors');
  assert.is(gate?.attributes['headgate.gate.verdict'], 'pass');
  assert.is(gate?.attributes['headgate.gate.limit'], 99);
  assert.match(String(gate?.attributes['headgate.gate.text']), /success rate 100.00% ≥ 99%/);
});

traces('of a commit that fails say where, at each level', () => {
  const traced = new Traced();
  traced.run(...begin, 'commit b2 checkout:v1=0,v2=100', 'tick 1s', 'ack');
  traced.run('traffic checkout-v1 ok=90', 'traffic checkout-v2 err=30');
  traced.run(...Array.from({ length: 4 }, () => second).flat());
  const failure = 'gate errors failed: success rate 0.00% < 99%';
  const tree = traced.tree('b2').replace(/ \(\d+ requests, \d+s\)/g, '');
  assert.is(
    tree,
    `commit 0.7-4.0 ! checkout RolledBack: ${failure}
  fetch 0.7-0.9
  validate 0.9-1.0
  plan 1.0-1.0
  rollout checkout 1.0-4.0 ! ${failure}
    step 1/2 1.0-3.0 ! ${failure}
      push 1.0-2.0
        ack 1.0-2.0
      gate errors 2.0-3.0 ! success rate 0.00% < 99%
    roll back 3.0-4.0
      push 3.0-3.0
        ack 3.0-3.0
      push 3.0-4.0
        ack 3.0-4.0`,
  );
});

traces('of a commit with errors end where it is rejected', () => {
  const traced = new Traced();
  traced.run(...begin, 'reject c3');
  assert.is(
    traced.tree('c3'),
    `commit 0.7-1.0 ! rejected: 1 problem
  fetch 0.7-0.9
  validate 0.9-1.0 ! rejected: 1 problem
  plan 1.0-1.0`,
  );
});

traces('go on after a restart, and say nothing of a commit that was known', () => {
  const traced = new Traced();
  traced.run(...begin, ...good, 'commit b2 checkout:v1=0,v2=100', 'tick 1s', 'ack');
  traced.restart();
  traced.run('connect web1', 'commit b2 checkout:v1=0,v2=100', 'ack', ...good);
  traced.run(...Array.from({ length: 16 }, () => second).flat());
  const tree = traced.tree('b2');
  assert.match(tree, /^commit 1\.0-\d+\.0\n {2}fetch/);
  assert.is(tree.match(/fetch/g)?.length, 1, tree);
  assert.is(tree.match(/^commit/gm)?.length, 1, tree);
  assert.match(tree, /\n {2}rollout checkout 1\.0-/);
  const count = traced.spans.length;
  traced.restart();
  traced.run('connect web1', 'commit b2 checkout:v1=0,v2=100', 'ack', 'tick 1s');
  assert.is(traced.spans.length, count, traced.tree('b2'));
});

traces('name a wait for people, and proxies that never answered', () => {
  const traced = new Traced();
  traced.run('policy steps=50,100 bake=1s gates=none approve=2', 'connect web1', 'connect web2');
  traced.run('commit a1 checkout:v1=100,v2=0', 'ack', 'tick 1s', 'commit b2 checkout:v1=0,v2=100');
  traced.run(
    'ack web1',
    'tick 40s',
    'tick 5s',
    'abort checkout-1',
    'ack',
    'tick 1s',
    'ack',
    'tick 1s',
  );
  assert.is(
    traced.tree('b2'),
    `commit 0.7-47.0 ! checkout Aborted: abort by ann
  fetch 0.7-0.9
  validate 0.9-1.0
  plan 1.0-1.0
  rollout checkout 1.0-47.0 ! abort by ann
    step 1/2 1.0-46.0 ! abort by ann
      push 1.0-46.0 ! not answered by 1
        ack 1.0-1.0
      wait for approval 41.0-46.0
    roll back 46.0-47.0
      push 46.0-46.0
        ack 46.0-46.0
        ack 46.0-46.0
      push 46.0-47.0
        ack 46.0-47.0
        ack 46.0-47.0`,
  );
});

traces('have the id of the commit, and one span has one id', () => {
  const commit = '8c1d0a5b3e7f4a9d2c6b8e1f0a3d5c7b9e2f4a6d';
  assert.is(traceIdOf(commit), commit.slice(0, 32));
  assert.match(traceIdOf('directory-42'), /^[0-9a-f]{32}$/);
  assert.match(spanIdOf('a', 1), /^[0-9a-f]{16}$/);
  assert.is.not(spanIdOf('a', 1), spanIdOf('a1'));
  const traced = new Traced();
  traced.run(...begin, ...good, 'commit b2 checkout:v1=0,v2=100', 'tick 1s', 'ack');
  traced.run(...Array.from({ length: 14 }, () => second).flat());
  const ids = traced.spans.map(({ spanId }) => spanId);
  assert.is(new Set(ids).size, ids.length);
});

traces('cost the others nothing where an observer has a bug', () => {
  const told: string[] = [];
  const faults: unknown[] = [];
  const quiet = new CommitTraces({ seed: '', emit: () => {} });
  const broken = Object.assign(Object.create(quiet), {
    handled: () => {
      throw new Error('a bug');
    },
  });
  const counting = Object.assign(Object.create(quiet), { handled: () => told.push('told') });
  const all = observeAll([broken, counting], (error) => faults.push(error));
  all.handled('tick', 1);
  all.handled('tick', 1);
  assert.is(told.length, 2);
  assert.is(faults.length, 1);
});

traces.run();
