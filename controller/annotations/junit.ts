/**
 * JUnit's XML, in the part that GitLab, Jenkins and most others read: a test for each file, which fails
 * where the file has an error. Warnings stand in the test's output.
 */
import { type Problem, renderProblem } from '../base/problem.js';
import type { Checked } from './checked.js';

/** What is about no file of its own. */
const whole = 'the repository as a whole';

export function renderJunit({ problems, files }: Pick<Checked, 'problems' | 'files'>): string {
  const names = [...new Set([...files, ...problems.map(({ file }) => file || whole)])];
  const cases = names.map((name) => {
    const own = problems.filter(({ file }) => (file || whole) === name);
    return { name, own, errors: own.filter(({ severity }) => severity === 'error') };
  });
  const failures = cases.filter(({ errors }) => errors.length > 0).length;
  const counts = `tests="${cases.length}" failures="${failures}" errors="0"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="headgate validate" ${counts}>`,
    `  <testsuite name="mesh repository" ${counts}>`,
    ...cases.flatMap(({ name, own, errors }) => testCase(name, own, errors)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testCase(
  name: string,
  own: readonly Problem[],
  errors: readonly Problem[],
): readonly string[] {
  const file = name === whole ? '' : ` file="${attribute(name)}"`;
  const head = `    <testcase classname="mesh" name="${attribute(name)}"${file}`;
  if (own.length === 0) {
    return [`${head}/>`];
  }
  const [first] = errors;
  const failure =
    first === undefined
      ? []
      : [
          `      <failure type="${first.code}" message="${attribute(first.message)}">` +
            `${text(errors.map(renderProblem).join('\n'))}</failure>`,
        ];
  const warnings = own.filter((problem) => !errors.includes(problem)).map(renderProblem);
  const output =
    warnings.length === 0 ? [] : [`      <system-out>${text(warnings.join('\n'))}</system-out>`];
  return [`${head}>`, ...failure, ...output, '    </testcase>'];
}

/** Characters that XML 1.0 has no way to write. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what this is to find.
const unwritable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

function text(value: string): string {
  return value
    .replace(unwritable, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

function attribute(value: string): string {
  return text(value).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}
