/** What the dashboard's pages ask for: a mesh as a graph, a resource, curves, what a revision changed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HistoryView } from '../../controller/api/history-view.js';
import type { MeshGraphView } from '../../controller/api/mesh-view.js';
import { documentAt, type ResourceView } from '../../controller/api/resource-view.js';
import type { RevisionDiffView } from '../../controller/api/revision-view.js';
import type { RolloutHistoryView } from '../../controller/api/rollout-history.js';
import { type RunningApi, runApi } from './running-api.js';

const browse = suite<{ running: RunningApi }>('api for browsing');

const start = [
  'policy steps=10,50,100 bake=10s',
  'connect web1',
  'commit a1 checkout:v1=100,v2=0 reviews:v1=100',
  'ack',
  'traffic checkout-v1 ok=90',
  'traffic checkout-v2 ok=10',
];

browse.before.each(async (context) => {
  context.running = await runApi();
  context.running.run(...start);
  context.running.run('commit b2 checkout:v1=0,v2=100 reviews:v1=100', 'ack', 'tick 4s');
});

browse.after.each(({ running }) => running.stop());

browse('a mesh is a graph with set and measured weights', async ({ running }) => {
  const { vertices, edges } = await running.json<MeshGraphView>('/api/v1/meshes/demo');
  assert.equal(
    vertices.map(({ id, change }) => [id, change]),
    [
      ['demo/VirtualService/checkout.demo.local', 'none'],
      ['demo/VirtualService/reviews.demo.local', 'none'],
      ['demo/VirtualRouter/checkout', 'changed'],
      ['demo/VirtualRouter/reviews', 'none'],
      ['demo/VirtualNode/checkout-v1', 'none'],
      ['demo/VirtualNode/checkout-v2', 'none'],
      ['demo/VirtualNode/reviews-v1', 'none'],
      ['demo/VirtualNode/web', 'none'],
    ],
  );
  const router = vertices.find(({ id }) => id === 'demo/VirtualRouter/checkout');
  assert.equal(router?.rollouts, ['checkout-1']);
  const canary = edges.find(({ to }) => to === 'demo/VirtualNode/checkout-v2');
  assert.equal(canary, {
    from: 'demo/VirtualRouter/checkout',
    to: 'demo/VirtualNode/checkout-v2',
    kind: 'route',
    routes: ['main'],
    weight: { served: 10, desired: 100 },
    actual: 10,
    traffic: { requestsPerSecond: 4, success: 100 },
  });
  const idle = edges.find(({ to }) => to === 'demo/VirtualService/reviews.demo.local');
  assert.equal([idle?.kind, idle?.traffic], ['call', null]);
  assert.is((await running.get('/api/v1/meshes/nothing')).status, 404);
});

browse('a resource says what is not applied yet, and what it is between', async ({ running }) => {
  const path = '/api/v1/meshes/demo/VirtualRouter/checkout';
  const resource = await running.json<ResourceView>(path);
  assert.is(resource.sync, 'changed');
  assert.equal(resource.fields, [
    { path: 'routes[main].targets[checkout-v1:8080].weight', before: 100, after: 0 },
    { path: 'routes[main].targets[checkout-v2:8080].weight', before: 0, after: 100 },
  ]);
  assert.equal(resource.references, [
    'demo/VirtualNode/checkout-v1',
    'demo/VirtualNode/checkout-v2',
  ]);
  assert.equal(resource.referencedBy, ['demo/VirtualService/checkout.demo.local']);
  assert.equal(resource.rollouts, ['checkout-1']);
  for (const wrong of ['VirtualRouter/nothing', 'Nothing/checkout', '__proto__/checkout']) {
    assert.is((await running.get(`/api/v1/meshes/demo/${wrong}`)).status, 404, wrong);
  }
});

browse('a rollout has curves of its gates and weights', async ({ running }) => {
  const path = '/api/v1/rollouts/checkout-1/history';
  const { gates, targets } = await running.json<RolloutHistoryView>(path);
  const [gate] = gates.errors?.slice(-1) ?? [];
  assert.equal([gate?.observed, gate?.verdict], [100, 'pass']);
  const [target] = targets['checkout/main/checkout-v2:8080']?.slice(-1) ?? [];
  assert.equal([target?.served, target?.actual], [10, 10]);
  assert.is((await running.get('/api/v1/rollouts/nothing/history')).status, 404);
});

browse('the history of one rollout is its own', async ({ running }) => {
  const entries = await running.json<HistoryView[]>('/api/v1/history?rollout=checkout-1&limit=3');
  assert.is(entries.length, 3);
  assert.ok(entries.every(({ rollout }) => rollout === 'checkout-1'));
});

browse(
  'a revision is told by what it means, also where its files are gone',
  async ({ running }) => {
    const view = await running.json<RevisionDiffView>('/api/v1/revisions/b2/diff');
    assert.is(view.previous, 'a1');
    assert.is(view.files, null);
    assert.equal(view.changes[0]?.lines, [
      '  ~ VirtualRouter checkout route main (weighted)',
      '      weight checkout-v1:8080: 100 % → 0 %',
      '      weight checkout-v2:8080: 0 % → 100 %',
    ]);
    assert.is((await running.get('/api/v1/revisions/nothing/diff')).status, 404);
  },
);

browse('a resource is shown with the words of its own document', () => {
  const text = '# top\na: 1\n---\n# of b\nb: 2\n---\nc: 3\n';
  assert.is(documentAt(text, 2), '# top\na: 1');
  assert.is(documentAt(text, 5), '# of b\nb: 2');
  assert.is(documentAt(text, 7), 'c: 3');
  assert.is(documentAt(text, 99), 'c: 3');
});

browse.run();
