/**
 * What a policy's schema cannot say of how it tells requests and clients apart: by what no route can see,
 * for longer than it lasts, or twice.
 */
import { renderDuration } from '../base/duration.js';
import type * as yaml from '../generated/schema-types.js';
import type { FieldPath } from '../mesh/document.js';
import type { RolloutPolicy } from '../mesh/model.js';
import { stickyTtlMs } from '../mesh/policy-defaults.js';
import { checkDuration } from './check-duration.js';
import { checkRanges } from './check-ranges.js';
import type { Finding } from './finding.js';
import { bakesMs } from './rollout-policy.js';

/** `policy` is what `written` means in the model. */
export function checkStrategy(
  written: yaml.RolloutPolicy,
  policy: RolloutPolicy,
): readonly Finding[] {
  const { steps = [], blueGreen } = written.spec;
  const matches = blueGreen === undefined ? steps : [blueGreen.preview];
  return [
    ...(blueGreen !== undefined && written.spec.steps !== undefined ? [stepsTwice] : []),
    ...matches.flatMap(({ match }, index) =>
      checkMatch(match, [...stepPath(written, index), 'match', 'headers']),
    ),
    ...checkMirrors(written, policy),
    ...checkSticky(policy),
  ];
}

/** Where step `index` of the policy is written. */
export function stepPath({ spec }: yaml.RolloutPolicy, index: number): FieldPath {
  return spec.blueGreen === undefined
    ? ['spec', 'steps', index]
    : ['spec', 'blueGreen', index === 0 ? 'preview' : 'switch'];
}

const stepsTwice: Finding = {
  code: 'HG0621',
  path: ['spec', 'steps'],
  place: 'key',
  text: 'steps stand beside blueGreen, which is two steps of its own; keep one of the two',
};

/** A gateway compares these with what it made of them, or cannot know at all what a regex means for both. */
const rewritten: ReadonlySet<string> = new Set([':authority', ':path', 'host']);

function checkMatch(match: yaml.RequestMatch | undefined, path: FieldPath): readonly Finding[] {
  const names = (match?.headers ?? []).map(({ name }) => name);
  const findings = names.flatMap((name, index): readonly Finding[] => {
    if (!rewritten.has(name.toLowerCase())) {
      return [];
    }
    const text = `header ${name} is one that gateways rewrite; match another header, or a cookie`;
    return [{ code: 'HG0624', path: [...path, index, 'name'], text, details: { found: name } }];
  });
  return [...findings, ...checkRanges('', match?.headers, path)];
}

function checkMirrors(written: yaml.RolloutPolicy, { steps }: RolloutPolicy): readonly Finding[] {
  return steps.flatMap(({ mirror, progress }, index): readonly Finding[] => {
    if (mirror === undefined || progress === 0) {
      return [];
    }
    const text =
      `spec.steps[${index}] copies requests to a version that has ${progress} % of the way ` +
      'already; put it before the first step with progress, without progress of its own';
    const path = [...stepPath(written, index), 'mirror'];
    return [{ code: 'HG0622', path, place: 'key', text, details: { found: String(progress) } }];
  });
}

function checkSticky({ sticky, steps }: RolloutPolicy): readonly Finding[] {
  if (sticky?.kind !== 'cookie') {
    return [];
  }
  const path = ['spec', 'sticky', 'cookie', 'ttl'];
  const togetherMs = bakesMs(steps);
  if (sticky.ttlMs > togetherMs) {
    return checkDuration(sticky.ttlMs, path, stickyTtlMs);
  }
  const found = renderDuration(sticky.ttlMs);
  const allowed = `more than ${renderDuration(togetherMs)}`;
  const text =
    `ttl is ${found}, so a client would lose its cookie and could change versions while the steps ` +
    `bake ${renderDuration(togetherMs)} together; use ${allowed}`;
  return [{ code: 'HG0606', path, text, details: { found, allowed } }];
}
