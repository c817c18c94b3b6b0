/** What is kept of a rollout that has ended: what people are shown of it, and nothing of what it was made of. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { recordOf } from '../../controller/loop/record.js';
import { LoadHistory } from '../../controller/rollout/load-history.js';
import type { Rollout } from '../../controller/rollout/rollout.js';
import { rolloutTargets } from '../../controller/rollout/targets.js';
import { ScriptedLoop } from '../rollout/scripted-loop.js';

const records = suite('records of rollouts');

records('the record of a rollout shows what it showed, of copies', () => {
  const rollout = running();
  const record = recordOf(rollout);
  const load = new LoadHistory();
  assert.ok(rolloutTargets(rollout, load, 0).length > 0);
  assert.equal(rolloutTargets(record, load, 0), rolloutTargets(rollout, load, 0));
  assert.equal(record.group.changes, rollout.group.changes);
  const refs = ({ group }: Rollout) => group.resources.map(({ ref }) => ref);
  assert.equal(refs(record), refs(rollout));
  const known = objectsIn(rollout.group);
  assert.ok(known.size > 0);
  for (const object of objectsIn(record.group)) {
    assert.not(known.has(object), JSON.stringify(object));
  }
});

records('a key that is the prototype’s name is copied as a key', () => {
  const rollout = running();
  const before: unknown = JSON.parse('{"__proto__":{"a":1}}');
  const [change] = rollout.group.changes;
  const changes = [{ ...change, fields: [{ path: 'x', before }] }] as typeof rollout.group.changes;
  const record = recordOf({ ...rollout, group: { ...rollout.group, changes } });
  assert.is(JSON.stringify(record.group.changes), JSON.stringify(changes));
});

records.run();

/** One that moves weights, adds a node and changes nothing of another. */
function running(): Rollout {
  const loop = new ScriptedLoop();
  for (const line of [
    'policy steps=10,100 bake=4s min=99 requests=5',
    'connect web1',
    'commit a1 checkout:v1=100,v2=0',
    'ack',
    'commit b2 checkout:v1=0,v2=100',
  ]) {
    loop.run(line);
  }
  const rollout = [...loop.state.durable.rollouts.values()].at(-1);
  assert.ok(rollout);
  return rollout;
}

function objectsIn(value: unknown, found = new Set<object>()): ReadonlySet<object> {
  if (typeof value === 'object' && value !== null) {
    found.add(value);
    for (const member of Object.values(value)) {
      objectsIn(member, found);
    }
  }
  return found;
}
