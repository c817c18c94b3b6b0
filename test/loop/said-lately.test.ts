/** What was said lately is said once, and what is remembered of it has an end. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SaidLately } from '../../controller/loop/said-lately.js';

test('it is new once', () => {
  const said = new SaidLately(3);
  assert.equal(
    ['a', 'b', 'a', 'b'].map((text) => said.isNew(text)),
    [true, true, false, false],
  );
});

test('what is made up pushes out what was made up, and not what is asked about again and again', () => {
  const said = new SaidLately(3);
  said.isNew('real');
  for (let number = 0; number < 100; number += 1) {
    assert.ok(said.isNew(`made up ${number}`));
    assert.not(said.isNew('real'));
  }
  assert.not(said.isNew('made up 99'));
  assert.ok(said.isNew('made up 0'), 'it was forgotten');
});

test.run();
