/**
 * GitLab's code quality report (docs.gitlab.com, "Code Quality report format"): a list of findings with a
 * fingerprint each, by which a merge request tells the new ones from those that were there.
 */
import { canonicalJson, contentHash } from '../base/hash.js';
import type { Problem } from '../base/problem.js';
import type { Checked } from './checked.js';

export function renderGitlab({ problems }: Pick<Checked, 'problems'>): string {
  const seen = new Map<string, number>();
  const findings = problems.map((problem) => {
    const { code, severity, file, line, message } = problem;
    return {
      description: `${code}: ${message}`,
      check_name: code,
      fingerprint: fingerprint(problem, seen),
      severity: severity === 'error' ? 'critical' : 'minor',
      location: { path: file === '' ? '.' : file, lines: { begin: Math.max(line, 1) } },
    };
  });
  return `${JSON.stringify(findings, undefined, 2)}\n`;
}

/** Without the line, so that a problem is the same one when lines above it come or go. */
function fingerprint(
  { code, file, resource, path, message }: Problem,
  seen: Map<string, number>,
): string {
  const content = canonicalJson([code, file, resource ?? '', path ?? '', message]);
  const count = seen.get(content) ?? 0;
  seen.set(content, count + 1);
  return contentHash(count === 0 ? content : `${content} ${count}`);
}
