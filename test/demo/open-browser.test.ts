/** A browser is opened where a person sits before the machine, and nowhere else. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { browserProgram } from '../../controller/demo/open-browser.js';

const open = suite('opening a browser');

const desk = { env: { DISPLAY: ':0' }, platform: 'linux', isTerminal: true } as const;

const cases = [
  ['a desktop of Linux', desk, 'xdg-open'],
  ['one with Wayland', { ...desk, env: { WAYLAND_DISPLAY: 'wayland-0' } }, 'xdg-open'],
  ['a Mac', { ...desk, env: {}, platform: 'darwin' }, 'open'],
  ['a server', { ...desk, env: {} }, undefined],
  ['a session over ssh', { ...desk, env: { DISPLAY: ':10', SSH_CONNECTION: 'a' } }, undefined],
  ['CI', { ...desk, env: { DISPLAY: ':99', CI: 'true' } }, undefined],
  ['a pipe', { ...desk, isTerminal: false }, undefined],
  ['another system', { ...desk, platform: 'win32' }, undefined],
] as const;

for (const [where, search, expected] of cases) {
  open(`${where}: ${expected ?? 'the address alone'}`, () => {
    assert.is(browserProgram(search), expected);
  });
}

open.run();
