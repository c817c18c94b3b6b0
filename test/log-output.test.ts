/** What becomes of lines that nobody takes: the process neither waits for it nor keeps more than it must. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hasTerminals, startOnStoppedTerminal } from './support/stopped-terminal.js';

const output = suite('log output');

const moduleUrl = new URL('../controller/log-output.js', import.meta.url).href;

/** A program that writes `lines` lines of 1 KiB, then does what `after` says. */
function program(lines: number, after: string): readonly string[] {
  const text = `
    import { createLogOutput, lostLines } from ${JSON.stringify(moduleUrl)};
    const output = createLogOutput();
    for (let line = 0; line < ${lines}; line += 1) {
      output.write(String(line).padEnd(1023, '.') + '\\n');
    }
    ${after}
  `;
  return [process.execPath, '--input-type=module', '-e', text];
}

output('a file has all lines in their order, those before an exit too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-log-'));
  const path = join(folder, 'log');
  const log = openSync(path, 'a');
  const [node = '', ...args] = program(500, 'process.exit(3);');
  const child = spawn(node, args, { stdio: ['ignore', 'ignore', log] });
  const [code] = await once(child, 'exit');
  closeSync(log);
  const lines = readFileSync(path, 'utf8').split('\n');
  rmSync(folder, { recursive: true });
  assert.is(code, 3);
  assert.is(lines.length, 501);
  const numbers = lines.slice(0, -1).map((line) => Number.parseInt(line, 10));
  assert.equal(
    [...numbers].sort((left, right) => left - right),
    Array.from({ length: 500 }, (_, index) => index),
  );
});

if (hasTerminals()) {
  output('a terminal that was stopped loses what is too much, and holds up no end', async () => {
    const told =
      'setTimeout(() => console.log(lostLines()), 1); setTimeout(() => process.exit(), 1_500);';
    const child = startOnStoppedTerminal(program(4096, told), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let lost = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      lost += text;
    });
    const [, signal] = await once(child, 'close');
    // What waits is a MiB, and what is being written is a line.
    assert.is(Number(lost), 4096 - 1024 - 1);
    assert.is(signal, 'SIGKILL', 'its thread still waits');
  });
} else {
  console.log('left out: a terminal that was stopped; python3 is not there');
}

output.run();
