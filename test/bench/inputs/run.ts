/**
 * `npm run bench:inputs`: each bad or large input in a process of its own, with what came of it, how long
 * it took and the most memory that it had; written to `docs/bad-input.md`. Nothing of it is timed against
 * a limit: tests do that.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectPath } from '../../support/project.js';
import { inputCases } from './cases.js';

interface Row {
  readonly outcome: string;
  readonly seconds: number;
  readonly peakMiB: number;
}

const [wanted] = process.argv.slice(2);
if (wanted === undefined) {
  writePage();
} else {
  await runCase(Number(wanted));
}

/** In the process of that case alone: prints its row. */
async function runCase(index: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-inputs-'));
  try {
    const startedMs = performance.now();
    const outcome = (await inputCases[index]?.run(folder)) ?? 'no such case';
    const seconds = (performance.now() - startedMs) / 1000;
    const peakMiB = process.resourceUsage().maxRSS / 1024;
    const row: Row = { outcome: outcome.replaceAll(folder, '…'), seconds, peakMiB };
    process.stdout.write(`\n${JSON.stringify(row)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.exit(0);
}

function writePage(): void {
  const rows = inputCases.map(({ name }, index) => {
    const { stdout, status } = spawnSync(
      process.execPath,
      [fileURLToPath(import.meta.url), String(index)],
      { encoding: 'utf8', maxBuffer: 2 ** 26 },
    );
    const row: Row =
      status === 0
        ? JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
        : { outcome: `the process ended with ${status}`, seconds: 0, peakMiB: 0 };
    const cells = [name, row.outcome, row.seconds.toFixed(1), Math.round(row.peakMiB).toString()];
    const line = `| ${cells.map(cellOf).join(' | ')} |`;
    console.log(line);
    return line;
  });
  const page = [
    '# Bad input',
    '',
    'What comes of input that is wrong, hostile or very large: a clear error or nothing at all, nothing is',
    'executed, and what was served stays. Made by `npm run bench:inputs`; each line was a process of its own,',
    'in which the repository was made as well, so seconds and memory are those of the whole process.',
    `Measured on ${cpus().length} cores that had other work to do, Node ${process.version}.`,
    '',
    '| input | outcome | seconds | peak MiB |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    'More of it, with the tests of each: [torture.md](torture.md). From a webhook to what is served:',
    '`npm run bench:reaction`.',
    '',
  ];
  writeFileSync(projectPath('docs/bad-input.md'), page.join('\n'));
}

function cellOf(text: string): string {
  const flat = text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
  return flat.length > 260 ? `${flat.slice(0, 260)}…` : flat;
}
