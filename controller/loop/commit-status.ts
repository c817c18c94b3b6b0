/** What a commit is to say of all the rollouts that it started in one mesh, in one line. */
import { isEnded, type Phase, type Rollout } from '../rollout/rollout.js';
import type { CommitStatus } from './events.js';
import type { LoopState } from './state.js';

const failed: ReadonlySet<Phase> = new Set(['RollingBack', 'RolledBack', 'Aborted']);

/**
 * The status of the commit that `rollout` brings: failed where any of its rollouts was, pending while one
 * runs. Of a change that was tried again only the newest try counts.
 */
export function commitStatusOf(state: LoopState, rollout: Rollout): CommitStatus {
  const newest = new Map<string, Rollout>();
  for (const other of state.durable.rollouts.values()) {
    if (other.mesh === rollout.mesh && other.revision.id === rollout.revision.id) {
      newest.set(other.name, other);
    }
  }
  const all = [...newest.values()];
  const bad = all.find(({ phase }) => failed.has(phase));
  const open = all.filter(({ phase }) => !isEnded(phase));
  const [running] = open;
  const context = `headgate/${rollout.mesh}/rollout`;
  if (bad !== undefined) {
    const what = bad.outcome === 'Aborted' ? 'aborted' : 'rolled back';
    return { context, state: 'failure', description: `${bad.name} ${what}: ${bad.reason}` };
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
}
