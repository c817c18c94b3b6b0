/**
 * What is kept of a rollout that has ended, for people to read. It has nothing in common with what the
 * rollout was made of: what was made of that by identity (`base/memo.ts`), every proxy's bytes at every
 * step, would live as long as the record.
 */
import { copyValue } from '../base/copy-value.js';
import type { ResourceChange } from '../diff/change.js';
import type { Rollout } from '../rollout/rollout.js';

/**
 * `ended` with copies of its changes, and of its resources only the names and what their weights are found
 * in (`rollout/targets.ts`): thousands are copied while proxies wait for their answers.
 */
export function recordOf(ended: Rollout): Rollout {
  const { mesh, name, resources, changes } = ended.group;
  const group = {
    mesh,
    name,
    resources: resources.map(recordOfChange),
    changes: copyValue(changes),
  };
  return { ...ended, group };
}

function recordOfChange({ ref, before, after }: ResourceChange): ResourceChange {
  const hasWeights = before?.kind === 'VirtualRouter' && after?.kind === 'VirtualRouter';
  return {
    ref: { ...ref },
    before: hasWeights ? copyValue(before) : null,
    after: hasWeights ? copyValue(after) : null,
  };
}
