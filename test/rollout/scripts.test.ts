/**
 * Each file of `scripts/` tells how a rollout behaves: commands behind `> `, and below each the state
 * after it. `UPDATE_GOLDEN=1` writes what is; read the difference before you commit it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectPath } from '../support/project.js';
import { ScriptedLoop } from './scripted-loop.js';

const scripts = suite('rollout scripts');
const folder = projectPath('test/rollout/scripts');
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

for (const name of names) {
  scripts(name.replace('.txt', '').replaceAll('-', ' '), () => {
    const path = `${folder}/${name}`;
    const expected = readFileSync(path, 'utf8');
    const actual = replay(expected);
    if (process.env.UPDATE_GOLDEN === '1') {
      writeFileSync(path, actual);
    } else {
      assert.is(actual, expected);
    }
  });
}

scripts('there are scripts', () => {
  assert.ok(names.length > 10);
});

/** The text of a script with the states below its commands made anew. */
function replay(text: string): string {
  const loop = new ScriptedLoop();
  const lines = text.split('\n').filter((line) => line.startsWith('>') || line.startsWith('#'));
  const told = lines.map((line) =>
    line.startsWith('#') ? `${line}\n` : `${line}\n${loop.run(line.slice(2))}\n`,
  );
  return told.join('\n');
}

scripts.run();
