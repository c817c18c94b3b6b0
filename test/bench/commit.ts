/**
 * `npm run bench:commit [SERVICES…]`: what a commit that changes one file costs the controller, from a real
 * repository to a state file, by the number of services, each with a file of four resources. Two kinds: a
 * `weight` alone, and a weight below a `line` more, so that all of the file stands elsewhere. Of the main
 * thread, on which proxies wait: to read the commit (`git`), to hand files to the reading thread and meshes
 * back (`hand over`), to step the loop and find what has to be stored (`loop`), to store it in SQLite
 * (`store`) and to tick until the change is served (`ticks`). Milliseconds of that thread's processor time,
 * medians; beside them the time by the clock from the revision to its meshes, which is the reading thread's.
 * Needs Linux.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { present } from '../../controller/base/assert.js';
import { onlyRepository, type Revision } from '../../controller/base/revision.js';
import { createClock } from '../../controller/clock.js';
import { Decoder } from '../../controller/decoder.js';
import { createGitSource } from '../../controller/git/git-source.js';
import type { LoopEvent } from '../../controller/loop/events.js';
import { changedSaved, initialDurableState } from '../../controller/loop/persist.js';
import type { Store } from '../../controller/loop/ports.js';
import { startState } from '../../controller/loop/start-state.js';
import type { LoopState } from '../../controller/loop/state.js';
import { stepLoop } from '../../controller/loop/step.js';
import { LoadHistory } from '../../controller/rollout/load-history.js';
import { openStore } from '../../controller/store/open-store.js';
import { makeRepository } from '../support/git.js';
import { recordingLogger } from '../support/recording-logger.js';
import { revisionOf, startSource, type TestSource } from '../support/source.js';

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [100, 1_000, 10_000];
const commitsMeasured = 9;
const ticks = 3;
const settings = { ackDeadlineMs: 30_000 };

const columns = ['git', 'hand over', 'loop', 'store', 'ticks', 'until read'] as const;
type Costs = Readonly<Record<(typeof columns)[number], number>>;

/** Nanoseconds that this thread ran, as the kernel counts them: no other thread and no waiting is in it. */
function mainThreadMs(): number {
  const [ranNs] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return Number(ranNs) / 1e6;
}

const header = 'apiVersion: headgate/v1\nkind:';
const meshFile = `${header} Mesh\nmetadata: { name: demo }\nspec: {}\n`;
const listeners = '  listeners:\n    - portMapping: { port: 8080, protocol: http }\n';

function nodeText(name: string): string {
  const discovery = `  serviceDiscovery:\n    dns: { hostname: ${name}.internal }\n`;
  return `${header} VirtualNode\nmetadata: { name: ${name} }\nspec:\n${listeners}${discovery}`;
}

/** A service with two versions, of which the second gets `weight` percent. */
function serviceText(name: string, weight: number): string {
  const target = (version: string, share: number) =>
    `            - { virtualNodeRef: { name: ${name}-${version} }, weight: ${share} }\n`;
  const route =
    '    - name: main\n      httpRoute:\n        match: { prefix: / }\n        action:\n' +
    `          weightedTargets:\n${target('v1', 100 - weight)}${target('v2', weight)}`;
  return [
    nodeText(`${name}-v1`),
    nodeText(`${name}-v2`),
    `${header} VirtualService\nmetadata: { name: ${name}.demo.local }\nspec:\n  provider:\n` +
      `    virtualRouter: { virtualRouterRef: { name: ${name} } }\n`,
    `${header} VirtualRouter\nmetadata: { name: ${name} }\nspec:\n${listeners}  routes:\n${route}`,
  ].join('---\n');
}

/** The first service's second version gets `weight`, and its file begins with `lines` comments. */
function filesOf(
  services: number,
  { weight, lines }: { readonly weight: number; readonly lines: number },
): Readonly<Record<string, string>> {
  const files = Array.from({ length: services }, (_, index) => [
    `team-${index % 100}/service-${index}.yaml`,
    index === 0
      ? `${'# A line more.\n'.repeat(lines)}${serviceText('service-0', weight)}`
      : serviceText(`service-${index}`, 0),
  ]);
  return { 'mesh.yaml': meshFile, ...Object.fromEntries(files) };
}

class Controller {
  private readonly decoder = new Decoder([]);
  private state: LoopState = startState(initialDurableState, new LoadHistory(), 0);
  private nowMs = 0;
  storedBytes = 0;

  constructor(
    private readonly source: TestSource,
    private readonly store: Store,
  ) {}

  /** What the newest commit costs; `wait` gets its revision. */
  async take(wait: (source: TestSource) => Promise<Revision>): Promise<Costs> {
    const begin = mainThreadMs();
    const revision = await wait(this.source);
    const read = mainThreadMs();
    const startedMs = performance.now();
    const event = await this.read(revision);
    const untilReadMs = performance.now() - startedMs;
    const handedOver = mainThreadMs();
    const before = this.state;
    this.step(event);
    const writes = changedSaved(before, this.state);
    this.storedBytes = writes.reduce((sum, { json }) => sum + (json?.length ?? 0), 0);
    const stepped = mainThreadMs();
    await this.store.commit({ writes, history: [], notifications: [] });
    const stored = mainThreadMs();
    for (let tick = 0; tick < ticks; tick += 1) {
      this.step({ kind: 'tick' });
    }
    return {
      git: read - begin,
      'hand over': handedOver - read,
      loop: stepped - handedOver,
      store: stored - stepped,
      ticks: mainThreadMs() - stored,
      'until read': untilReadMs,
    };
  }

  async stop(): Promise<void> {
    await this.source.stop();
    await this.decoder.stop();
    await this.store.close();
  }

  private async read(attempted: Revision): Promise<LoopEvent> {
    const { meshes } = this.state.durable;
    const desired = new Map([...meshes].map(([name, mesh]) => [name, mesh.desired]));
    const repositories = [{ name: onlyRepository, attempted }];
    const combination = await this.decoder.load(repositories, [...meshes.keys()], desired);
    const { isAccepted, problems } = present(combination.verdicts.get(onlyRepository), 'a verdict');
    if (!isAccepted) {
      throw new Error(`the commit was rejected: ${problems[0]?.message}`);
    }
    const { id, author, message: title, committedAtMs } = attempted;
    const info = { id, author, title, committedAtMs };
    return {
      kind: 'revisionsRead',
      sources: [onlyRepository],
      repositories: [{ name: onlyRepository, attempted: info, isAccepted, problems }],
      meshes: combination.meshes,
      origins: combination.origins,
    };
  }

  private step(event: LoopEvent): void {
    this.nowMs += 1000;
    this.state = stepLoop(this.state, event, settings, this.nowMs).state;
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function measure(services: number): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-commit-'));
  const repository = makeRepository(folder);
  repository.commitMany(filesOf(services, { weight: 0, lines: 0 }));
  const source = startSource((deps) =>
    createGitSource(
      {
        ...{ repo: repository.bare, branch: 'main', path: '.', pollMs: 3_600_000 },
        cacheFolder: join(folder, 'cache'),
      },
      deps,
    ),
  );
  const store = await openStore(join(folder, 'state.db'), {
    ...{ clock: createClock(), logger: recordingLogger() },
  });
  const controller = new Controller(source, store);
  try {
    await controller.take(async (from) => revisionOf(await from.next()));
    const rows: string[] = [];
    let weight = 0;
    for (const kind of ['weight', 'line'] as const) {
      const list: Costs[] = [];
      for (let count = 1; count <= commitsMeasured; count += 1) {
        weight += 1;
        const lines = kind === 'line' ? count : 0;
        repository.commitMany(filesOf(services, { weight, lines }));
        list.push(await controller.take(async (from) => revisionOf(await from.poll())));
      }
      const medians = columns.map((column) =>
        median(list.map((costs) => costs[column])).toFixed(1),
      );
      const rssMb = Math.round(process.memoryUsage().rss / 2 ** 20);
      rows.push(`| ${[services, kind, ...medians, controller.storedBytes, rssMb].join(' | ')} |`);
    }
    return rows;
  } finally {
    await controller.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

console.log(`| services | what | ${columns.join(' | ')} | stored bytes | RSS MB |`);
console.log(`| ---: | --- | ${columns.map(() => '---:').join(' | ')} | ---: | ---: |`);
for (const services of sizes) {
  console.log((await measure(services)).join('\n'));
}
