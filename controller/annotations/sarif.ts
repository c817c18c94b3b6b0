/**
 * SARIF 2.1.0 (OASIS), within what GitHub's code scanning reads of it: a rule for each code that occurs, a
 * result for each problem, with a fingerprint that does not depend on the line.
 */
import { canonicalJson, contentHash } from '../base/hash.js';
import { compareText, type Problem } from '../base/problem.js';
import { problemTable } from '../decode/problems.js';
import type { Checked } from './checked.js';

export function renderSarif({ problems, version }: Pick<Checked, 'problems' | 'version'>): string {
  const codes = [...new Set(problems.map(({ code }) => code))].sort(compareText);
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'headgate', semanticVersion: version, rules: codes.map(rule) } },
        columnKind: 'utf16CodeUnits',
        results: problems.map((problem) => result(problem, codes.indexOf(problem.code))),
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

function rule(code: string) {
  const entry = problemTable[code];
  if (entry === undefined) {
    // What the source itself refuses: its table has no page.
    return { id: code, shortDescription: { text: code } };
  }
  return {
    id: code,
    shortDescription: { text: entry.title },
    fullDescription: { text: entry.cause },
    help: { text: entry.resolution },
  };
}

function result(problem: Problem, ruleIndex: number) {
  const { code, severity, message, file, line, column, resource = '', path = '' } = problem;
  const region =
    line === 0 ? {} : { region: { startLine: line, startColumn: Math.max(column, 1) } };
  const uri = file.split('/').map(encodeURIComponent).join('/');
  return {
    ruleId: code,
    ruleIndex,
    level: severity,
    message: { text: message },
    locations: [{ physicalLocation: { artifactLocation: { uri: uri || '.' }, ...region } }],
    partialFingerprints: {
      'headgateProblem/v1': contentHash(canonicalJson([code, file, resource, path, message])),
    },
  };
}
