/** Samples are bounded by count as well as by age, and nothing that was counted is lost by it before its time. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LoadHistory, type LoadSample } from '../../controller/rollout/load-history.js';
import { historyMaxMs, SampleLog, samplesMax } from '../../controller/rollout/sample-log.js';

const log = suite('sample log');

const query = { mesh: 'demo', virtualNode: 'a', direction: 'egress', fromMs: 0 } as const;

function sample(second: number, instance: string, virtualNode = 'a'): LoadSample {
  return {
    mesh: 'demo',
    virtualNode,
    direction: 'egress',
    instance,
    fromMs: second * 1000,
    toMs: (second + 1) * 1000,
    successes: 9,
    errors: 1,
    issued: 10,
  };
}

log('a fleet that reports each second is kept whole for as long as a gate may look back', () => {
  const history = new LoadHistory();
  const [proxies, seconds] = [500, 600];
  for (let second = 0; second < seconds; second += 1) {
    for (let proxy = 0; proxy < proxies; proxy += 1) {
      history.record(sample(second, `p${proxy}`));
    }
  }
  assert.ok(history.size() <= samplesMax, `${history.size()} samples`);
  assert.equal(history.total(query), {
    successes: 9 * proxies * seconds,
    errors: proxies * seconds,
    issued: 10 * proxies * seconds,
  });
  // The newest are as fine as they came: a window of ten seconds has ten seconds in it.
  const recent = history.total({ ...query, fromMs: (seconds - 10) * 1000 });
  assert.is(recent.issued, 10 * proxies * 10);
  // Further back a window has at most what it asks for, and not much less.
  const older = history.total({ ...query, fromMs: (seconds - 300) * 1000 }).issued;
  assert.ok(older <= 10 * proxies * 300 && older > 10 * proxies * 200, `${older} requests`);
});

log('the largest log gives way where all of them are too many', () => {
  const small = new SampleLog<LoadSample>((_, later) => later, 1000, 100);
  for (let second = 0; second < 200; second += 1) {
    small.record(sample(second, 'p', 'busy'));
    if (second < 20) {
      small.record(sample(second, 'p', 'quiet'));
    }
  }
  assert.ok(small.size() <= 100, `${small.size()} samples`);
  assert.is([...small.since({ ...query, virtualNode: 'quiet' }, 0)].length, 20);
});

log('many small logs give way together, a few times and not at every sample', () => {
  let joins = 0;
  const nodes = 100;
  const all = 4000;
  const small = new SampleLog<LoadSample>(
    (_, later) => {
      joins += 1;
      return later;
    },
    all,
    all,
  );
  const seconds = 200;
  const sizes: number[] = [];
  for (let second = 0; second < seconds; second += 1) {
    for (let node = 0; node < nodes; node += 1) {
      small.record(sample(second, 'p', `n${node}`));
      sizes.push(small.size());
    }
  }
  assert.ok(Math.max(...sizes) <= all, `${Math.max(...sizes)} samples`);
  // Each time it gives way a quarter goes: as often as a quarter has come.
  const times = sizes.filter((size, index) => size < (sizes[index - 1] ?? 0)).length;
  assert.ok(times > 0 && times <= (nodes * seconds) / (all * 0.25), `${times} times`);
  assert.ok(joins < nodes * seconds, `${joins} joined`);
});

log('where every sample is of another proxy the oldest are forgotten', () => {
  const small = new SampleLog<LoadSample>((_, later) => later, 100);
  for (let second = 0; second < 500; second += 1) {
    small.record(sample(second, `p${second}`));
  }
  assert.ok(small.size() <= 100);
  assert.is([...small.since(query, 0)][0]?.instance, 'p499');
});

log('what is too old is forgotten, and so is everything when the clock jumps', () => {
  const history = new LoadHistory();
  for (let second = 0; second * 1000 < 3 * historyMaxMs; second += 1) {
    history.record(sample(second, 'p'));
  }
  assert.ok(history.size() < 2 * (historyMaxMs / 1000) + 1200, `${history.size()} samples`);
  history.forget();
  assert.is(history.size(), 0);
});

log.run();
