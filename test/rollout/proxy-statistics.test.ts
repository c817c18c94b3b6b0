/** Latencies and health as proxies tell them: merged, cut into blocks, and forgotten. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HealthHistory, healthMaxAgeMs } from '../../controller/rollout/health-history.js';
import {
  boundOf,
  countOf,
  LatencyHistory,
  type LatencySample,
  quantileOf,
} from '../../controller/rollout/latency-history.js';
import { LoadHistory } from '../../controller/rollout/load-history.js';

const test = suite('statistics of proxies');

const checkout = { mesh: 'shop', virtualNode: 'checkout-v2', direction: 'egress' } as const;

function latencySample(
  toMs: number,
  buckets: LatencySample['buckets'],
  instance = 'web1',
): LatencySample {
  return { ...checkout, instance, fromMs: toMs - 5000, toMs, buckets };
}

test('quantiles come from the buckets of all proxies together', () => {
  const history = new LatencyHistory();
  history.record(latencySample(10_000, [[10, 50]], 'web1'));
  history.record(
    latencySample(
      11_000,
      [
        [10, 40],
        [20, 10],
      ],
      'web2',
    ),
  );
  const all = history.total([{ ...checkout, fromMs: 0 }]);
  assert.is(countOf(all), 100);
  assert.is(quantileOf(all, 0.5), (10 * 50) / 90);
  assert.is(quantileOf(all, 0.9), 10);
  assert.is(quantileOf(all, 0.95), 15);
  assert.is(boundOf(all, 0.9), 10);
  assert.is(boundOf(all, 0.91), 20);
  const web2 = { ...checkout, fromMs: 0, includes: (instance: string) => instance === 'web2' };
  assert.is(countOf(history.total([web2])), 50);
});

test('no answers have no quantile, and what is above all bounds has no number', () => {
  assert.is(quantileOf(new Map(), 0.99), undefined);
  assert.is(boundOf(new Map(), 0.99), undefined);
  const endless = new Map([
    [10, 1],
    [Infinity, 9],
  ]);
  assert.is(quantileOf(endless, 0.99), Infinity);
});

test('an interval that began before the step counts for nothing', () => {
  const history = new LatencyHistory();
  history.record(latencySample(10_000, [[10, 50]]));
  history.record(latencySample(15_000, [[10, 7]]));
  assert.is(countOf(history.total([{ ...checkout, fromMs: 6000 }])), 7);
});

test('slow answers are those in buckets above the bound, block by block', () => {
  const history = new LatencyHistory();
  const buckets = [
    [10, 5],
    [20, 3],
    [Infinity, 1],
  ] as const;
  history.record(latencySample(10_000, buckets));
  history.record(latencySample(14_999, buckets));
  history.record(latencySample(15_000, [[10, 4]]));
  const blocks = { fromMs: 10_000, blockMs: 5000, count: 2 };
  assert.equal(history.slow([{ ...checkout, fromMs: 0 }], 10, blocks), [
    { requests: 18, hits: 8 },
    { requests: 4, hits: 0 },
  ]);
});

test('the answers of load reports fall into the block in which they came', () => {
  const history = new LoadHistory();
  const record = (toMs: number, successes: number, errors: number) =>
    history.record({
      ...checkout,
      instance: 'web1',
      fromMs: toMs - 1000,
      toMs,
      successes,
      errors,
      issued: successes + errors,
    });
  record(999, 1, 0);
  record(1000, 2, 0);
  record(5999, 3, 1);
  record(6000, 4, 0);
  const totals = history.blocks(
    { ...checkout, fromMs: -1 },
    { fromMs: 1000, blockMs: 5000, count: 1 },
  );
  assert.equal(totals, [{ successes: 5, errors: 1, issued: 6 }]);
});

test('each proxy’s newest word on health counts, while it is fresh', () => {
  const history = new HealthHistory();
  const word = (instance: string, atMs: number, healthy: number) =>
    history.record({ ...checkout, instance, atMs, total: 2, healthy, ejected: 2 - healthy });
  word('web1', 1000, 2);
  word('web1', 6000, 1);
  word('web2', 6500, 2);
  const seen = (fromMs: number) =>
    history.newestOf({ ...checkout, fromMs }).map(({ instance, healthy }) => [instance, healthy]);
  assert.equal(seen(0), [
    ['web1', 1],
    ['web2', 2],
  ]);
  assert.equal(seen(6000), [['web2', 2]]);
  word('web2', 6001 + healthMaxAgeMs, 2);
  assert.equal(seen(0), [['web2', 2]]);
});

test.run();
