/**
 * Make-before-break at random (statement 25): no call through real Envoys, of either variant, is lost while
 * services, nodes and routes come and go. `npm run churn` does it for minutes.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { churn } from '../churn/churn.js';

test('no call is lost while services, nodes and routes come and go', async () => {
  const { changes, requests, lost } = await churn({ seed: 5, isOver: (count) => count >= 40 });
  assert.equal(lost, []);
  assert.ok(requests > 10 * changes, `${requests} calls during ${changes} changes`);
});

test.run();
