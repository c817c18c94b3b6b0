/**
 * The loop's pure step behind a small language, so that rollout behaviour is told as text: one command a
 * line, the state after it printed. The store is the list of written values: `crash` forgets all else.
 *
 *   commit REV SERVICE:v1=90,v2=10[,timeout=5s][,gateway=/path][,calls=SERVICE] …   a valid revision with these services
 *   policy key=value …      steps=10,50,100 bake=10s approve=2 (second step) noData= failureLimit= errorLimit= gates=none onFailure= onDeadline= deadline=
 *                           a step may also be match (of x-canary), mirror (10 % of GET), preview; sticky=cookie|header
 *   also NAME for=SERVICE,… key=value …   one more policy, for the routers of these services
 *   nopolicy [NAME]         this one, or all of them, are gone with the next commit
 *   gate NAME KIND key=value …   one more gate of the policy: min= max= window= at= from= dryRun=true noData= …
 *   answer GATE 0.5|status=200|SERVING|noData CODE TEXT|error CODE TEXT   what its provider says from now on
 *   gates                   the newest result of every gate
 *   why                     what each rollout waits for
 *   reject REV              a revision with an error
 *   nomesh REV              a revision without the mesh
 *   connect|disconnect|ack|nack PROXY[=ADDRESS]      (of node web, or edge… of the gateway, or NODE/…; ack without a name: all)
 *   traffic SERVICE-VERSION ok=10 err=1              each proxy's answers in a second, from now on; v1* is v1's baseline
 *   tick 30s                time passes, second by second
 *   pause|resume|promote|abort|retry|approve ROLLOUT
 *   crash
 */
import { proxyId } from '../../controller/base/brand.js';
import { parseDuration } from '../../controller/base/duration.js';
import type { Announcement, LoopEvent } from '../../controller/loop/events.js';
import { ordersOf } from '../../controller/loop/orders.js';
import { changedValues, initialDurableState, restoreState } from '../../controller/loop/persist.js';
import type { HistoryEntry, ProxyStatus } from '../../controller/loop/ports.js';
import { startState } from '../../controller/loop/start-state.js';
import type { DurableState, LoopState } from '../../controller/loop/state.js';
import { isNews, stepLoop } from '../../controller/loop/step.js';
import type {
  GatewayRoute,
  Mesh,
  RolloutPolicy,
  RolloutStep,
  Route,
} from '../../controller/mesh/model.js';
import { normalizeWeights } from '../../controller/mesh/weights.js';
import { concernedProxies, wayOf } from '../../controller/rollout/concerned.js';
import { LoadHistory } from '../../controller/rollout/load-history.js';
import { effectiveMesh } from '../../controller/rollout/mix.js';
import { isEnded, type RolloutCommand } from '../../controller/rollout/rollout.js';
import { waitsFor } from '../../controller/rollout/waits.js';
import { meshOf, policyOf, type ServiceSpec } from '../support/mesh.js';
import { accepted, rejected, revisionIn } from '../support/reading.js';
import { readGate, ScriptedProviders } from './scripted-gates.js';

const settings = { ackDeadlineMs: 30_000 };

export class ScriptedLoop {
  nowMs = Date.UTC(2026, 0, 1);
  state: LoopState = startState(initialDurableState, new LoadHistory(), this.nowMs);
  /** What a store would have kept, oldest first. */
  readonly history: HistoryEntry[] = [];
  private readonly stored = new Map<string, { kind: string; key: string; json: string }>();
  private saved: DurableState = initialDurableState;
  /** The first is the mesh's default; undefined: there is none. */
  private policy: RolloutPolicy | undefined = policyOf();
  private also: readonly RolloutPolicy[] = [];
  private readonly traffic = new Map<string, { ok: number; err: number }>();
  private readonly connectedAtMs = new Map<string, number>();
  private readonly providers = new ScriptedProviders();
  private said: Announcement[] = [];
  private reply = '';

  /** Carries out one line; the result is the state after it, as text. */
  run(line: string): string {
    this.said = [];
    this.reply = '';
    const [command = '', ...words] = line.split(/\s+/);
    this.obey(command, words);
    return this.print();
  }

  /** One event and every transition that is due by it. */
  send(event: LoopEvent): void {
    for (let next: LoopEvent | undefined = event; next !== undefined; ) {
      const before = this.state;
      const result = stepLoop(before, next, settings, this.nowMs);
      for (const write of changedValues(this.saved, result.state.durable)) {
        const key = `${write.kind}/${write.key}`;
        if (write.json === null) {
          this.stored.delete(key);
        } else {
          this.stored.set(key, { kind: write.kind, key: write.key, json: write.json });
        }
      }
      this.saved = result.state.durable;
      this.state = result.state;
      this.history.push(...result.history);
      // That a commit is valid is what a script goes without saying.
      const said = result.announcements.filter(({ event }) => event !== 'revision.accepted');
      this.said.push(...said);
      if (result.reply !== undefined && !result.reply.ok) {
        this.reply = `${result.reply.status} ${result.reply.message}`;
      }
      const isDue: boolean = isNews(next) || phasesOf(before) !== phasesOf(this.state);
      next = isDue ? { kind: 'tick' } : undefined;
    }
  }

  private obey(command: string, words: readonly string[]): void {
    switch (command) {
      case 'commit':
        this.commit(words);
        return;
      case 'policy':
        this.policy = readPolicy(words);
        return;
      case 'also':
        this.also = [...this.also, readNamedPolicy(words)];
        return;
      case 'nopolicy':
        this.policy = words.length === 0 ? undefined : this.policy;
        this.also = this.also.filter(({ name }) => words.length > 0 && !words.includes(name));
        return;
      case 'gate': {
        const policy = this.policy ?? policyOf();
        this.policy = { ...policy, gates: [...policy.gates, readGate(words)] };
        return;
      }
      case 'answer':
        this.providers.tell(words);
        return;
      case 'why':
        this.showWaits();
        return;
      case 'gates':
        this.showGates();
        return;
      case 'nomesh':
        this.read(words[0] ?? '', []);
        return;
      case 'reject':
        this.reject(words[0] ?? '');
        return;
      case 'connect':
        this.connect(words[0] ?? '');
        return;
      case 'disconnect':
        this.send({ kind: 'proxyDisconnected', id: proxyId(words[0] ?? ''), clean: true });
        return;
      case 'ack':
        this.acknowledge(words[0]);
        return;
      case 'nack':
        this.refuse(words[0] ?? '');
        return;
      case 'traffic':
        this.traffic.set(words[0] ?? '', {
          ok: numberOf(words, 'ok'),
          err: numberOf(words, 'err'),
        });
        return;
      case 'tick':
        this.tick(parseDuration(words[0] ?? '') ?? 0);
        return;
      case 'crash':
        this.saved = restoreState([...this.stored.values()]);
        this.state = startState(this.saved, new LoadHistory(), this.nowMs);
        this.send({ kind: 'tick' });
        return;
      default:
        this.send({
          kind: 'command',
          rollout: words[0] ?? '',
          command: command as RolloutCommand,
          by: 'ann',
          reason: words.slice(1).join(' '),
        });
    }
  }

  private commit([revision = '', ...services]: readonly string[]): void {
    const policies = [...(this.policy === undefined ? [] : [this.policy]), ...this.also];
    this.read(revision, [meshOf(services.map(readService), policies)]);
  }

  private read(revision: string, meshes: readonly Mesh[]): void {
    this.send(accepted(this.revision(revision), meshes));
  }

  private reject(revision: string): void {
    const problem = {
      code: 'HG0201',
      severity: 'error',
      message: 'this is not YAML',
      file: 'a.yaml',
      line: 1,
      column: 1,
    } as const;
    this.send(rejected(this.revision(revision), [problem]));
  }

  private showWaits(): void {
    const { durable, proxies, servedGeneration } = this.state;
    const lines = [...durable.rollouts.values()].flatMap((rollout) => {
      const way = wayOf(durable, rollout.mesh);
      const generation = servedGeneration.get(rollout.id) ?? 0;
      const concerned = way && concernedProxies(rollout, way, proxies, generation);
      const waits = waitsFor(rollout, concerned ?? [], this.nowMs);
      return waits === undefined ? [] : [`${rollout.id} waits for ${waits}`];
    });
    this.reply = lines.join('\n    ');
  }

  private showGates(): void {
    const running = [...this.state.durable.rollouts.values()].filter(
      ({ phase }) => !isEnded(phase),
    );
    const lines = running.flatMap(({ gates }) =>
      gates.map(
        ({ name, dryRun, verdict, text, failures, errors, code }) =>
          `${name}${dryRun ? ' (dry run)' : ''}: ${verdict}, ${failures} failures` +
          `${errors === undefined ? '' : `, ${errors} errors`}` +
          `${code === undefined ? '' : `, ${code}`}: ${text}`,
      ),
    );
    this.reply = lines.join('\n    ');
  }

  private revision(id: string) {
    return { id, author: 'ann', title: `change ${id}`, committedAtMs: this.nowMs };
  }

  private connect(name: string): void {
    this.connectedAtMs.set(name, this.nowMs);
    this.send({ kind: 'proxyConnected', proxy: this.proxy(name, 0) });
  }

  private proxy(name: string, ackedGeneration: number): ProxyStatus {
    const node = name.includes('/') ? name.slice(0, name.indexOf('/')) : 'web';
    return {
      id: proxyId(name),
      identity: {
        nodeId: isOfGateway(name)
          ? 'mesh/demo/virtualGateway/edge'
          : `mesh/demo/virtualNode/${node}`,
        resource: isOfGateway(name)
          ? { mesh: 'demo', kind: 'VirtualGateway', name: 'edge' }
          : { mesh: 'demo', kind: 'VirtualNode', name: node },
        instance: name,
        kind: 'envoy',
      },
      address: '127.0.0.1:1',
      connectedAtMs: this.connectedAtMs.get(name) ?? 0,
      ackedGeneration,
      types: {},
      userAgent: 'envoy 1.40.0',
    };
  }

  private acknowledge(only: string | undefined): void {
    for (const name of only === undefined ? [...this.state.proxies.keys()] : [only]) {
      this.send({ kind: 'proxyAcked', proxy: this.proxy(name, this.state.generation) });
    }
  }

  private refuse(name: string): void {
    const acked = this.state.proxies.get(name)?.ackedGeneration ?? 0;
    this.send({
      kind: 'proxyNacked',
      proxy: this.proxy(name, acked),
      type: 'route',
      resources: ['rds_egress_http_8080'],
      error: 'Envoy says no',
      generation: this.state.generation,
    });
  }

  private tick(durationMs: number): void {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 1000) {
      this.nowMs += 1000;
      for (const [name, { ok, err }] of this.traffic) {
        const virtualNode = name.replace('*', '');
        const sample = {
          mesh: 'demo',
          virtualNode,
          direction: 'egress',
          role: name.endsWith('*') ? 'baseline' : undefined,
          fromMs: this.nowMs - 1000,
          toMs: this.nowMs,
          successes: ok,
          errors: err,
          issued: ok + err,
        } as const;
        const instances = [...this.state.proxies.keys()];
        const samples = instances.map((instance) => ({ ...sample, instance }));
        this.send({ kind: 'loadReported', samples });
      }
      for (const event of this.providers.answer(ordersOf(this.state.durable), this.nowMs)) {
        this.send(event);
      }
      this.send({ kind: 'tick' });
    }
  }

  private print(): string {
    const lines: string[] = [];
    for (const [name, mesh] of this.state.durable.meshes) {
      const rollouts = [...this.state.durable.rollouts.values()].filter(
        (rollout) => rollout.mesh === name && !isEnded(rollout.phase),
      );
      const served = effectiveMesh(mesh.applied, rollouts, 'web1');
      for (const router of served.virtualRouters) {
        lines.push(`${router.name}: ${router.routes.map(printRoute).join('; ')}`);
      }
      for (const instance of [...this.state.proxies.keys()].filter(isOfGateway)) {
        const { gatewayRoutes } = effectiveMesh(mesh.applied, rollouts, instance);
        lines.push(`${instance}: ${gatewayRoutes.map(printGatewayRoute).join(' ')}`);
      }
    }
    for (const rollout of this.state.durable.rollouts.values()) {
      if (!isEnded(rollout.phase)) {
        const step = `step ${rollout.step + 1}/${rollout.plan.steps.length}`;
        const next =
          rollout.followedBy === undefined ? '' : ` (${rollout.followedBy} waits for its end)`;
        lines.push(`  ${rollout.id} ${rollout.phase} ${step}: ${rollout.reason}${next}`);
      }
    }
    for (const held of this.state.durable.held.values()) {
      lines.push(`  held ${held.rollout}: ${held.reason}`);
    }
    const { desired, applied, attempted } = revisionIn(this.state.durable);
    lines.push(`  revision ${attempted?.id}, desired ${desired?.id}, applied ${applied?.id}`);
    lines.push(...this.said.map((one) => `  ! ${one.event}: ${one.title}: ${one.text}`));
    if (this.reply !== '') {
      lines.push(`  = ${this.reply}`);
    }
    return lines.join('\n');
  }
}

/** `match: v2=100`, `v1=100 v2=0 v2+10` with copies, `by cookie: v1=90 v2=10`. */
function printRoute(route: Route): string {
  const shares = normalizeWeights(route.targets.map((target) => target.weight));
  const targets = route.targets.map(({ virtualNode, role, copies }, index) => {
    const name = virtualNode.replace(/^.*-/, '');
    const copied = copies === undefined ? '' : `+${copies / 100}`;
    return `${name}${role === undefined ? '' : '*'}=${(shares[index] ?? 0) / 100}${copied}`;
  });
  const timeout = route.timeout === undefined ? '' : ` timeout=${route.timeout.perRequestMs}ms`;
  const part = route.part === undefined ? '' : `${route.part}: `;
  const drawn = printDrawn(route.drawnBy);
  return `${part}${targets.join(' ')}${drawn}${timeout}`;
}

function printDrawn(by: Route['drawnBy']): string {
  if (by === undefined) {
    return '';
  }
  return by.kind === 'requestId' ? ' by request' : ` by ${by.kind} ${by.name}`;
}

/** Proxies are of the gateway or of a node, by their names. */
function isOfGateway(proxy: string): boolean {
  return proxy.startsWith('edge');
}

function printGatewayRoute({ name, match }: GatewayRoute): string {
  return match.path?.kind === 'prefix' ? `${match.path.prefix}=${name}` : name;
}

function phasesOf(state: LoopState): string {
  const rollouts = [...state.durable.rollouts.values()];
  return rollouts.map((rollout) => `${rollout.id} ${rollout.phase} ${rollout.step}`).join('\n');
}

function readService(word: string): ServiceSpec {
  const [name = '', rest = ''] = word.split(':');
  const pairs = rest.split(',').map((pair) => pair.split('='));
  const timeout = pairs.find(([key]) => key === 'timeout')?.[1];
  const gatewayPrefix = pairs.find(([key]) => key === 'gateway')?.[1];
  const called = pairs.flatMap(([key, value]) => (key === 'calls' ? (value ?? []) : []));
  const weights = pairs.filter(([key]) => key?.startsWith('v'));
  return {
    name,
    weights: Object.fromEntries(weights.map(([key = '', value]) => [key, Number(value)])),
    timeoutMs: timeout === undefined ? undefined : parseDuration(timeout),
    gatewayPrefix,
    calls: called,
  };
}

function readPolicy(words: readonly string[]): RolloutPolicy {
  const given = new Map(words.map((word) => word.split('=') as [string, string]));
  const base = policyOf();
  const approve = Number(given.get('approve') ?? 0);
  const bakeMs = parseDuration(given.get('bake') ?? '10s') ?? 0;
  const steps = (given.get('steps') ?? '10,50,100').split(',').map((word, index) => ({
    ...readStep(word),
    bakeMs,
    approval: index + 1 === approve,
  }));
  return {
    ...base,
    steps,
    sticky: readSticky(given.get('sticky')),
    gates: given.get('gates') === 'none' ? [] : base.gates,
    noData: (given.get('noData') ?? base.noData) as RolloutPolicy['noData'],
    onFailure: (given.get('onFailure') ?? base.onFailure) as RolloutPolicy['onFailure'],
    errorLimit: given.has('errorLimit') ? Number(given.get('errorLimit')) : undefined,
    onStepDeadline: (given.get('onDeadline') ??
      base.onStepDeadline) as RolloutPolicy['onStepDeadline'],
    failureLimit: Number(given.get('failureLimit') ?? base.failureLimit),
    stepDeadlineMs: parseDuration(given.get('deadline') ?? '2m') ?? 0,
    maxDurationMs: parseDuration(given.get('max') ?? ''),
    onMaxDuration: (given.get('onMax') ?? base.onMaxDuration) as RolloutPolicy['onMaxDuration'],
    windows: readWindows(given.get('allow'), given.get('freeze')),
    atomic: given.get('atomic') === 'true',
    after: given.get('after')?.split(',') ?? [],
    onSupersede: (given.get('onSupersede') ?? base.onSupersede) as RolloutPolicy['onSupersede'],
    proxies: {
      quorum: Number(given.get('quorum') ?? base.proxies.quorum),
      deadlineMs: parseDuration(given.get('ackDeadline') ?? ''),
    },
    rollbackWindow: readRollbackWindow(given.get('window')),
  };
}

/** `2` revisions, or `1h`, or `2,1h`. */
function readRollbackWindow(text: string | undefined): RolloutPolicy['rollbackWindow'] {
  const parts = text?.split(',') ?? [];
  const time = parts.find((part) => /[smh]$/.test(part));
  const count = parts.find((part) => /^\d+$/.test(part));
  return text === undefined
    ? undefined
    : {
        revisions: count === undefined ? undefined : Number(count),
        withinMs: time === undefined ? undefined : parseDuration(time),
      };
}

/** `NAME for=reviews,ratings key=value …`. */
function readNamedPolicy([name = '', ...words]: readonly string[]): RolloutPolicy {
  const services = words.find((word) => word.startsWith('for='))?.slice('for='.length) ?? '';
  const policy = readPolicy(words);
  const selector = { ...policy.selector, isDefault: false, virtualRouters: services.split(',') };
  return { ...policy, name, selector };
}

function readStep(word: string): Pick<RolloutStep, 'progress' | 'match' | 'mirror'> {
  switch (word) {
    case 'match': {
      const headers = [{ name: 'x-canary', invert: false, match: { kind: 'present' } }] as const;
      return { progress: 0, match: { headers, cookies: [] } };
    }
    case 'mirror':
      return { progress: 0, mirror: { percent: 10, methods: ['GET'] } };
    case 'preview':
      return { progress: 0 };
    default:
      return { progress: Number(word) };
  }
}

function readSticky(kind: string | undefined): RolloutPolicy['sticky'] {
  switch (kind) {
    case 'cookie':
      return { kind, name: 'version', ttlMs: 3_600_000 };
    case 'header':
      return { kind, name: 'x-user' };
    default:
      return undefined;
  }
}

/** `09:00-16:00@Europe/Berlin` and `2026-12-20-2027-01-04@UTC`, the latter as dates. */
function readWindows(
  allow: string | undefined,
  freeze: string | undefined,
): RolloutPolicy['windows'] {
  if (allow === undefined && freeze === undefined) {
    return undefined;
  }
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
  const [hours = '', zone = ''] = (allow ?? '').split('@');
  const [from = '', to = ''] = hours.split('-');
  const [dates = '', place = ''] = (freeze ?? '').split('@');
  const [first = '', last = ''] = [dates.slice(0, 10), dates.slice(11)];
  return {
    allow: allow === undefined ? [] : [{ days, from, to, timeZone: zone }],
    freeze:
      freeze === undefined
        ? []
        : [{ from: `${first}T00:00`, to: `${last}T00:00`, timeZone: place, reason: 'holidays' }],
  };
}

function numberOf(words: readonly string[], key: string): number {
  const word = words.find((candidate) => candidate.startsWith(`${key}=`));
  return Number(word?.slice(key.length + 1) ?? 0);
}
