/** The formats of problems, each held against what its readers need, with names and texts that are odd. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { annotate } from '../../controller/annotations/annotate.js';
import type { Checked } from '../../controller/annotations/checked.js';
import type { Problem } from '../../controller/base/problem.js';

const test = suite('annotations');

const problems: readonly Problem[] = [
  {
    code: 'HG0401',
    severity: 'error',
    message: 'VirtualRouter a: 100% "gone" <b>, x: y\nnext & last',
    file: 'mesh/a, b:c.yaml',
    line: 3,
    column: 7,
    resource: 'VirtualRouter a',
    path: 'spec.routes[0]',
  },
  {
    code: 'HG0513',
    severity: 'warning',
    message: 'nobody calls it',
    file: 'b.yaml',
    line: 1,
    column: 1,
  },
  { code: 'HG0101', severity: 'error', message: 'no folder', file: '', line: 0, column: 0 },
];

const checked: Checked = {
  problems,
  files: ['mesh/a, b:c.yaml', 'b.yaml', 'c.yaml'],
  version: '1.2.3',
};

test('github: a command a line, with properties and text escaped', () => {
  assert.equal(annotate(checked, 'github').split('\n'), [
    '::error file=mesh/a%2C b%3Ac.yaml,line=3,col=7,title=HG0401::VirtualRouter a: 100%25 "gone" <b>, x: y%0Anext & last',
    '::warning file=b.yaml,line=1,col=1,title=HG0513::nobody calls it',
    '::error title=HG0101::no folder',
    '',
  ]);
});

test('gitlab: every finding has its place and a fingerprint of its own, whatever line it is on', () => {
  const findings = JSON.parse(
    annotate({ ...checked, problems: [...problems, ...problems] }, 'gitlab'),
  );
  assert.equal(
    findings.slice(0, 3).map(({ fingerprint, ...rest }: { fingerprint: string }) => rest),
    [
      {
        description: 'HG0401: VirtualRouter a: 100% "gone" <b>, x: y\nnext & last',
        check_name: 'HG0401',
        severity: 'critical',
        location: { path: 'mesh/a, b:c.yaml', lines: { begin: 3 } },
      },
      {
        description: 'HG0513: nobody calls it',
        check_name: 'HG0513',
        severity: 'minor',
        location: { path: 'b.yaml', lines: { begin: 1 } },
      },
      {
        description: 'HG0101: no folder',
        check_name: 'HG0101',
        severity: 'critical',
        location: { path: '.', lines: { begin: 1 } },
      },
    ],
  );
  const prints = findings.map(({ fingerprint }: { fingerprint: string }) => fingerprint);
  assert.is(new Set(prints).size, 6, 'no two findings are taken for one');
  const moved = problems.map((problem) => ({ ...problem, line: problem.line + 9 }));
  const after = JSON.parse(annotate({ ...checked, problems: moved }, 'gitlab'));
  assert.equal(
    after.map(({ fingerprint }: { fingerprint: string }) => fingerprint),
    prints.slice(0, 3),
  );
});

test('sarif: a rule for each code, results that point to their rules, lines from 1', () => {
  const log = JSON.parse(annotate(checked, 'sarif'));
  assert.is(log.version, '2.1.0');
  const [{ tool, results }] = log.runs;
  assert.is(tool.driver.semanticVersion, '1.2.3');
  const rules = tool.driver.rules.map(({ id }: { id: string }) => id);
  assert.equal(rules, ['HG0101', 'HG0401', 'HG0513']);
  for (const rule of tool.driver.rules) {
    assert.ok(rule.shortDescription.text.length > 0);
  }
  assert.equal(
    results.map((result: { ruleIndex: number; ruleId: string }) => rules[result.ruleIndex]),
    results.map((result: { ruleId: string }) => result.ruleId),
  );
  assert.equal(results[0].locations[0].physicalLocation, {
    artifactLocation: { uri: 'mesh/a%2C%20b%3Ac.yaml' },
    region: { startLine: 3, startColumn: 7 },
  });
  assert.equal(results[2].locations[0].physicalLocation, { artifactLocation: { uri: '.' } });
  assert.equal(
    results.map(({ level }: { level: string }) => level),
    ['error', 'warning', 'error'],
  );
});

test('junit: a test a file, failed where it has an error, and nothing that XML could not read', () => {
  assert.equal(annotate(checked, 'junit').split('\n'), [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="headgate validate" tests="4" failures="2" errors="0">',
    '  <testsuite name="mesh repository" tests="4" failures="2" errors="0">',
    '    <testcase classname="mesh" name="mesh/a, b:c.yaml" file="mesh/a, b:c.yaml">',
    '      <failure type="HG0401" message="VirtualRouter a: 100% &quot;gone&quot; &lt;b&gt;, x: y&#10;next &amp; last">mesh/a, b:c.yaml:3:7: error HG0401 VirtualRouter a: 100% "gone" &lt;b&gt;, x: y',
    'next &amp; last</failure>',
    '    </testcase>',
    '    <testcase classname="mesh" name="b.yaml" file="b.yaml">',
    '      <system-out>b.yaml:1:1: warning HG0513 nobody calls it</system-out>',
    '    </testcase>',
    '    <testcase classname="mesh" name="c.yaml" file="c.yaml"/>',
    '    <testcase classname="mesh" name="the repository as a whole">',
    '      <failure type="HG0101" message="no folder">.:0:0: error HG0101 no folder</failure>',
    '    </testcase>',
    '  </testsuite>',
    '</testsuites>',
    '',
  ]);
});

test('without a problem each is a whole document', () => {
  const clean = { ...checked, problems: [] };
  assert.is(annotate(clean, 'github'), '');
  assert.equal(JSON.parse(annotate(clean, 'gitlab')), []);
  assert.equal(JSON.parse(annotate(clean, 'sarif')).runs[0].results, []);
  assert.match(annotate(clean, 'junit'), /tests="3" failures="0"/);
});

test.run();
