/** Differences of texts: what people are shown, and that both texts can be had back from it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DiffLine, diffLines } from '../../controller/base/line-diff.js';
import { seededRandom } from '../../controller/base/random.js';

const diff = suite('line diff');

const signs = { same: ' ', added: '+', removed: '-', gap: '…' } as const;

function told(before: string, after: string): readonly string[] {
  return diffLines(before, after).map(({ kind, text, line }) =>
    kind === 'gap' ? '…' : `${line}${signs[kind]}${text}`,
  );
}

diff('a changed line is removed and added', () => {
  assert.equal(told('a\nb\nc\n', 'a\nB\nc\n'), ['1 a', '2-b', '2+B', '3 c']);
});

diff('texts that are the same have no difference, and one of nothing is all new', () => {
  assert.equal(
    told('a\n', 'a\n').filter((line) => line !== '…'),
    [],
  );
  assert.equal(told('', 'a\nb\n'), ['1+a', '2+b']);
  assert.equal(told('a\n', ''), ['1-a']);
});

diff('far from a change lines are left out', () => {
  const lines = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
  const after = lines.map((line) => (line === 'line 10' ? 'another' : line));
  assert.equal(told(lines.join('\n'), after.join('\n')), [
    '…',
    ...['7 line 7', '8 line 8', '9 line 9', '10-line 10', '10+another'],
    ...['11 line 11', '12 line 12', '13 line 13', '…'],
  ]);
});

/** The lines of one side that are shown, by their number. */
function side(lines: readonly DiffLine[], kind: 'added' | 'removed'): readonly string[] {
  return lines.filter((line) => line.kind === kind).map(({ text, line }) => `${line} ${text}`);
}

diff('what is said of each side is so, for any two texts', () => {
  const random = seededRandom(7);
  const text = () =>
    Array.from({ length: 1 + Math.floor(random() * 12) }, () => 'abc'[Math.floor(random() * 3)]);
  for (let round = 0; round < 500; round += 1) {
    const [before, after] = [text(), text()];
    const lines = diffLines(`${before.join('\n')}\n`, `${after.join('\n')}\n`);
    const removed = side(lines, 'removed');
    const added = side(lines, 'added');
    for (const said of removed) {
      const [number, word] = said.split(' ');
      assert.is(before[Number(number) - 1], word);
    }
    for (const said of added) {
      const [number, word] = said.split(' ');
      assert.is(after[Number(number) - 1], word);
    }
    const without = (from: readonly (string | undefined)[], said: readonly string[]) =>
      from.filter((_, index) => !said.some((one) => one.startsWith(`${index + 1} `)));
    assert.equal(without(before, removed), without(after, added), `${before} → ${after}`);
  }
});

diff.run();
