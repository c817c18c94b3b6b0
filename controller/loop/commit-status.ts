/** What a commit is to say of all the rollouts that it started in one mesh, in one line. */
import { memo } from '../base/memo.js';
import { nameSome } from '../base/name-some.js';
import { isEnded, type Phase, type Rollout } from '../rollout/rollout.js';
import type { CommitStatus } from './events.js';
import type { LoopState } from './state.js';

const failed: ReadonlySet<Phase> = new Set(['RollingBack', 'RolledBack', 'Aborted']);

/**
 * The status of the commit that `rollout` brings: failed where any of its rollouts was, pending while one
 * runs. Of a change that was tried again only the newest try counts. A commit that is live says what Git asks
 * for besides and is not served, since an earlier commit brought it and failed.
 */
export function commitStatusOf(state: LoopState, rollout: Rollout): CommitStatus {
  const { rollouts, held } = state.durable;
  const status = statusOf(newestOf(rollouts).get(keyOf(rollout)) ?? nothing);
  const others = [...held.values()].filter(
    ({ mesh, revision }) => mesh === rollout.mesh && revision.id !== rollout.revision.id,
  );
  if (status.state !== 'success' || others.length === 0) {
    return status;
  }
  const names = nameSome([...new Set(others.map(({ name }) => name))]);
  return { ...status, description: `${status.description}; not served, held: ${names}` };
}

/** The newest try of each change, by mesh and commit: a commit may start thousands, and each asks. */
const newestOf = memo((rollouts: ReadonlyMap<string, Rollout>) => {
  const newest = new Map<string, Map<string, Rollout>>();
  for (const rollout of rollouts.values()) {
    const key = keyOf(rollout);
    const tries = newest.get(key) ?? new Map<string, Rollout>();
    newest.set(key, tries.set(rollout.name, rollout));
  }
  return newest as ReadonlyMap<string, ReadonlyMap<string, Rollout>>;
});

const nothing: ReadonlyMap<string, Rollout> = new Map();

function keyOf({ mesh, revision }: Rollout): string {
  return `${mesh}/${revision.id}`;
}

const statusOf = memo((tries: ReadonlyMap<string, Rollout>): CommitStatus => {
  const [first] = tries.values();
  const all = [...tries.values()];
  const bad = all.find(({ phase }) => failed.has(phase));
  const open = all.filter(({ phase }) => !isEnded(phase));
  const [running] = open;
  const context = `headgate/${first?.mesh}/rollout`;
  if (bad !== undefined) {
    const what = bad.outcome === 'Aborted' ? 'aborted' : 'rolled back';
    const description = `${bad.name} ${what} (held, not served): ${bad.reason}`;
    return { context, state: 'failure', description };
  }
  if (running !== undefined) {
    const more = open.length > 1 ? ` (and ${open.length - 1} more)` : '';
    const description = `${running.name}${more}: ${running.phase}, ${running.reason}`;
    return { context, state: 'pending', description };
  }
  const succeeded = all.filter(({ phase }) => phase === 'Succeeded').map(({ name }) => name);
  return succeeded.length > 0
    ? { context, state: 'success', description: `live: ${succeeded.join(', ')}` }
    : { context, state: 'error', description: 'superseded by a newer commit' };
});
