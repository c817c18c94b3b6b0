/** After a failure Git asks for one thing and the mesh serves another: what the commit and the chats then say. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { announcementsOf } from '../../controller/loop/announce.js';
import { commitStatusOf } from '../../controller/loop/commit-status.js';
import type { LoopState } from '../../controller/loop/state.js';
import { ScriptedLoop } from '../rollout/scripted-loop.js';

const test = suite('what is held');

/** A loop in which the first step of b2 has failed. */
function afterFailure(): { readonly loop: ScriptedLoop; readonly before: LoopState } {
  const loop = new ScriptedLoop();
  for (const line of [
    'policy steps=10,100 bake=10s',
    'connect web1',
    'commit a1 checkout:v1=100,v2=0 search:v1=100,v2=0',
    'ack',
    'commit b2 checkout:v1=0,v2=100 search:v1=100,v2=0',
    'ack',
    'traffic checkout-v2 ok=10 err=20',
  ]) {
    loop.run(line);
  }
  const before = loop.state;
  loop.run('tick 2s');
  return { loop, before };
}

/** The status of the commit that `rollout` brings. */
function statusOf({ state }: ScriptedLoop, rollout: string) {
  const found = state.durable.rollouts.get(rollout);
  assert.ok(found, [...state.durable.rollouts.keys()].join());
  return commitStatusOf(state, found);
}

test('the commit that failed says that it is held and not served', () => {
  const { loop } = afterFailure();
  assert.equal(statusOf(loop, 'checkout-1'), {
    context: 'headgate/demo/rollout',
    state: 'failure',
    description:
      'checkout rolled back (held, not served): ' +
      'gate errors failed: success rate 33.33% < 99% (30 requests, 10s)',
  });
});

test('a later commit that is live says what is still not served', () => {
  const { loop } = afterFailure();
  for (const line of ['ack', 'commit c3 checkout:v1=0,v2=100 search:v1=0,v2=100', 'ack']) {
    loop.run(line);
  }
  loop.run('promote search-2 all is well');
  loop.run('ack');
  assert.equal(statusOf(loop, 'search-2'), {
    context: 'headgate/demo/rollout',
    state: 'success',
    description: 'live: search; not served, held: checkout',
  });
});

test('chats hear first that Git and the mesh differ, and what to do', () => {
  const { loop, before } = afterFailure();
  const [said] = announcementsOf(before, loop.state, 0);
  assert.is(said?.event, 'rollout.rolledBack');
  assert.equal(said?.facts[0], {
    title: 'held',
    value:
      'Git asks for this change, the mesh serves what was there before it. ' +
      'Next: revert or mend it in Git, or headgate retry checkout-1',
  });
});

test.run();
