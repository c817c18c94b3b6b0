/**
 * What one revision changed, in both tongues: the words of its YAML beside the ones before, and what they
 * mean for the mesh, as the rollouts say that it started.
 */

import { type DiffLine, diffLines } from '../base/line-diff.js';
import type { Revision, SourceFile } from '../base/revision.js';
import { renderGroup } from '../diff/render.js';
import type { LoopState } from '../loop/state.js';
import type { Rollout } from '../rollout/rollout.js';
import type { RevisionView } from './history-view.js';

export interface RevisionDiffView {
  readonly revision: RevisionView;
  /** The id of the revision that was seen before it; null for the first, and where that is forgotten. */
  readonly previous: string | null;
  /** The rollouts that it started, as far as they are kept. */
  readonly changes: readonly RevisionChangeView[];
  /** Null where the files of one of the two are not at hand. */
  readonly files: readonly FileDiffView[] | null;
}

export interface RevisionChangeView {
  readonly rollout: string;
  readonly mesh: string;
  readonly name: string;
  readonly phase: Rollout['phase'];
  /** As `headgate plan` says them. */
  readonly lines: readonly string[];
}

export interface FileDiffView {
  readonly path: string;
  readonly action: 'created' | 'changed' | 'deleted';
  readonly lines: readonly DiffLine[];
}

export function viewRevisionChanges(state: LoopState, id: string): readonly RevisionChangeView[] {
  return [...state.durable.rollouts.values()]
    .filter(({ revision }) => revision.id === id)
    .map((rollout) => ({
      ...{ rollout: rollout.id, mesh: rollout.mesh, name: rollout.name, phase: rollout.phase },
      lines: renderGroup(rollout.group),
    }));
}

/** Files that differ, sorted by path; `before` undefined: there were none. */
export function diffFiles(before: Revision | undefined, after: Revision): readonly FileDiffView[] {
  const old = new Map(before?.files.map((file) => [file.path, textOf(file)]));
  const now = new Map(after.files.map((file) => [file.path, textOf(file)]));
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return paths
    .filter((path) => old.get(path) !== now.get(path))
    .map((path) => ({
      path,
      action: actionOf(old.has(path), now.has(path)),
      lines: diffLines(old.get(path) ?? '', now.get(path) ?? ''),
    }));
}

function actionOf(wasThere: boolean, isThere: boolean): FileDiffView['action'] {
  if (!wasThere) {
    return 'created';
  }
  return isThere ? 'changed' : 'deleted';
}

/** Bytes that are no UTF-8 are shown as replacement characters: the decoder says what is wrong there. */
function textOf(file: SourceFile): string {
  return Buffer.from(file.bytes).toString('utf8');
}
