/** The demo's eyes: the controller's own API, asked as any user would, and said in plain lines. */
import type { ProxyView } from '../api/proxy-view.js';
import type { RolloutView } from '../api/rollout-view.js';
import type { StatusView } from '../api/view.js';
import { OpError } from '../base/op-error.js';

export class Watcher {
  private readonly baseUrl: string;
  private readonly signal: AbortSignal;

  constructor(baseUrl: string, signal: AbortSignal) {
    this.baseUrl = baseUrl;
    this.signal = signal;
  }

  status(): Promise<StatusView> {
    return this.get('/api/v1/status');
  }

  rollouts(): Promise<readonly RolloutView[]> {
    return this.get('/api/v1/rollouts');
  }

  /** Throws with an Envoy's own words where one refuses what it was sent. */
  async throwIfRefused(): Promise<void> {
    for (const { node, types } of await this.get<readonly ProxyView[]>('/api/v1/proxies')) {
      const error = Object.values(types).find((type) => type.error !== undefined)?.error;
      if (error !== undefined) {
        throw new OpError(
          'demo-refused',
          `the Envoy of ${node} refuses its configuration: ${error}`,
        );
      }
    }
  }

  /** Asks again and again until `find` gives something; throws after `timeoutMs`. */
  async until<T>(what: string, timeoutMs: number, find: () => Promise<T | undefined>): Promise<T> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      this.signal.throwIfAborted();
      const found = await find();
      if (found !== undefined) {
        return found;
      }
      if (performance.now() > deadlineMs) {
        throw new OpError('demo-timeout', `waited ${timeoutMs / 1000} s in vain for ${what}`);
      }
      await pause(100);
    }
  }

  /** Calls `look` twice a second until the demo is stopped. */
  async untilStopped(look: () => Promise<void>): Promise<void> {
    while (!this.signal.aborted) {
      // What was stopped in mid-question is no failure; nor is one question of many.
      await look().catch(() => undefined);
      await Promise.race([pause(500), aborted(this.signal)]);
    }
  }

  private async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.baseUrl}${path}`, { signal: this.signal });
    if (!response.ok) {
      throw new OpError('demo-api', `${path} answered ${response.status}`);
    }
    return (await response.json()) as T;
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
}

/** Resolves when `signal` is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    }
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/**
 * The lines that a rollout's change from `before` to `after` is told by. Phases that passed between two
 * looks are told by what they left behind.
 */
export function tellRollout(
  before: RolloutView | undefined,
  after: RolloutView,
): readonly string[] {
  const isNewStep = before?.step.index !== after.step.index;
  if (!isNewStep && before?.phase === after.phase) {
    return [];
  }
  const lines = [...tellEvidence(before, after)];
  const step = `step ${after.step.index}/${after.step.count}`;
  switch (after.phase) {
    case 'Progressing':
      lines.push(`${step}  ${tellTargets(after)}`);
      break;
    case 'Baking':
      lines.push(
        ...(isNewStep ? [`${step}  ${tellTargets(after)}`] : []),
        '          acknowledged by every proxy; baking',
      );
      break;
    case 'RollingBack':
      lines.push(`ROLLBACK  ${after.reason}`);
      break;
    case 'RolledBack':
      lines.push(
        ...(before?.phase === 'RollingBack' ? [] : [`ROLLBACK  ${after.reason}`]),
        `          ${tellTargets(after)}; acknowledged by every proxy`,
      );
      break;
    default:
      lines.push(`${after.phase}  ${after.reason}`);
  }
  return lines;
}

/** On which verdicts the steps since `before` were left. */
function tellEvidence(before: RolloutView | undefined, after: RolloutView): readonly string[] {
  const mark = (verdict: string) => (verdict === 'pass' ? '✔' : '✖');
  const passed = after.evidence.slice(before?.evidence.length ?? 0);
  const gates = passed.flatMap((evidence) => evidence.gates);
  const actual = before === undefined ? '' : `; ${tellActual(before)}`;
  return gates.map((gate) => `gate ${mark(gate.verdict)}    ${gate.text}${actual}`);
}

/** What the clients really got, beside what was served. */
function tellActual(rollout: RolloutView): string {
  const measured = rollout.targets.filter((target) => target.actual !== null);
  return `actual ${measured.map((one) => `${one.virtualNode} ${one.actual} %`).join(', ')}`;
}

function tellTargets(rollout: RolloutView): string {
  return rollout.targets
    .map((target) => `${target.virtualNode} set ${target.desired} % served ${target.served} %`)
    .join(', ');
}
