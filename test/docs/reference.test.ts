/** The reference pages, which people read in the repository, say what the schemas say. */
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectPath } from '../support/project.js';

const reference = suite('reference pages');

reference('are current, with a word on App Mesh and Envoy for every field', () => {
  const generator = projectPath('schemas/reference.mjs');
  const { status, stderr } = spawnSync(process.execPath, [generator, '--check'], {
    encoding: 'utf8',
  });
  assert.is(stderr, '');
  assert.is(status, 0);
});

reference.run();
