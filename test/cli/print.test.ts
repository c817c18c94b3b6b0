/** Tables and fields: their columns, and what text from outside may do to them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderFields, renderTable, showPercent, showTime } from '../../controller/cli/print.js';

const print = suite('print');

print('a table has upper-case headers, three spaces and no trailing ones', () => {
  const rows = [
    ['reviews-12', 'Baking', ''],
    ['r', 'Succeeded', 'a longer text'],
  ];
  assert.is(
    renderTable(['rollout', 'phase', 'reason'], rows),
    [
      'ROLLOUT      PHASE       REASON',
      'reviews-12   Baking',
      'r            Succeeded   a longer text',
      '',
    ].join('\n'),
  );
});

print('colour takes no room', () => {
  const paint = (text: string) => `\u001b[32m${text}\u001b[39m`;
  const [, row] = renderTable(['state', 'x'], [[{ text: 'ok', paint }, 'y']]).split('\n');
  assert.is(row, '\u001b[32mok\u001b[39m      y');
});

print('a title can neither break a line, move the cursor nor reorder what is read', () => {
  const text = renderTable(['title'], [['a\nb\r\u001b[2J\u202egnp.exe']]);
  assert.is(text, 'TITLE\na b \ufffd[2J\ufffdgnp.exe\n');
});

print('columns are counted in characters, not in code units', () => {
  const [, first, second] = renderTable(
    ['a', 'b'],
    [
      ['\u{1f6a6}', 'x'],
      ['é', 'y'],
    ],
  ).split('\n');
  assert.is(first, '\u{1f6a6}   x');
  assert.is(second, 'é   y');
});

print('fields stand below one another', () => {
  assert.is(
    renderFields([
      ['Source', 'ok'],
      ['Mesh', 'demo'],
    ]),
    'Source   ok\nMesh     demo\n',
  );
});

print('times and shares are short, and what is missing is a dash', () => {
  assert.is(showTime('2026-01-01T00:00:03.123Z'), '2026-01-01T00:00:03Z');
  assert.is(showPercent(33.33), '33.33 %');
  assert.is(showPercent(null), '-');
});

print.run();
