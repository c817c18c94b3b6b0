/**
 * Every page of the dashboard in a real Chromium: what it says, in light and dark and on a phone, without
 * a complaint of the browser, a request to elsewhere or a violation that axe knows.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { proxyId } from '../../controller/base/brand.js';
import { encodeResource } from '../../controller/envoy/resource.js';
import type { ProxyResource, ProxyStatus } from '../../controller/loop/ports.js';
import { type RunningApi, runApi } from '../api/running-api.js';
import { startBrowser, type TestBrowser, type View } from '../support/browser.js';
import { twoReplicas } from '../support/members.js';
import { until } from '../support/until.js';

interface Context {
  running: RunningApi;
  browser: TestBrowser;
}

const pages = suite<Context>('dashboard pages');

/** One rollout bakes, one waits for a person, one failed and is held; a proxy refuses its routes. */
const script = [
  'policy steps=10,50,100 bake=30s',
  'connect web1',
  'commit a1 checkout:v1=100,v2=0 reviews:v1=100,v2=0 search:v1=100,v2=0',
  'ack',
  'traffic search-v1 ok=90',
  'traffic search-v2 ok=3 err=7',
  'commit b2 checkout:v1=100,v2=0 reviews:v1=100,v2=0 search:v1=0,v2=100',
  'ack',
  'tick 12s',
  'ack',
  'policy steps=10,50,100 bake=30s approve=1',
  'commit c3 checkout:v1=100,v2=0 reviews:v1=0,v2=100 search:v1=0,v2=100',
  'ack',
  'policy steps=10,50,100 bake=1m',
  'commit d4 checkout:v1=0,v2=100 reviews:v1=0,v2=100 search:v1=0,v2=100',
  'ack',
  'traffic checkout-v1 ok=90',
  'traffic checkout-v2 ok=10',
  'tick 20s',
];

const views = [
  { name: 'light', scheme: 'light', width: 1280 },
  { name: 'dark', scheme: 'dark', width: 1280 },
  { name: 'phone', scheme: 'light', width: 400 },
] as const;

pages.before(async (context) => {
  context.running = await runApi([], {
    startMs: Date.now() - 60_000,
    proxyResources,
    replicas: () => twoReplicas,
  });
  context.running.proxies.push(proxyOf('web1', 'rejected'), proxyOf('web2', 'synced'));
  context.running.run(...script);
  context.browser = await startBrowser();
});

pages.after(async ({ running, browser }) => {
  await browser.stop();
  await running.stop();
});

function proxyOf(name: string, state: 'rejected' | 'synced'): ProxyStatus {
  const sinceMs = Date.now() - 40_000;
  const error = 'no such cluster: cds_egress_demo_checkout-v9_http_8080';
  const synced = { state: 'synced', version: 'c1', ackedVersion: 'c1', sinceMs } as const;
  return {
    id: proxyId(`proxy-${name}`),
    identity: {
      nodeId: 'mesh/demo/virtualNode/web',
      resource: { mesh: 'demo', kind: 'VirtualNode', name: 'web' },
      instance: name,
      kind: 'envoy',
    },
    address: '127.0.0.1:50000',
    connectedAtMs: sinceMs,
    ackedGeneration: 1,
    userAgent: 'envoy 1.40.0',
    types: {
      cluster: synced,
      listener: synced,
      route:
        state === 'synced' ? synced : { state, version: 'r2', ackedVersion: 'r1', sinceMs, error },
    },
  };
}

/** A cluster that runs as it was sent, a route configuration that was refused, and a certificate. */
function proxyResources(): readonly ProxyResource[] {
  const cluster = encodeResource('cluster', 'a cluster', { name: 'a cluster' }, []);
  const before = encodeResource('route', 'a route', { name: 'a route' }, []);
  const after = encodeResource('route', 'a route', { name: 'another route' }, []);
  const secret = encodeResource('secret', 'a secret', { name: 'words that nobody may see' }, []);
  return [
    {
      type: 'route',
      name: 'a route',
      state: 'rejected',
      desired: after,
      running: before,
      error: 'no',
    },
    { type: 'cluster', name: 'a cluster', state: 'synced', desired: cluster, running: cluster },
    { type: 'secret', name: 'a secret', state: 'synced', desired: secret, running: secret },
  ];
}

/** The text of the page's `main`, once it holds `words`. */
async function reads(view: View, words: string): Promise<string> {
  const main = view.page.locator('main');
  await main.getByText(words, { exact: false }).first().waitFor();
  return main.innerText();
}

function titled(view: View, words: string): Promise<void> {
  return until(`the title to say ${words}`, async () => (await view.page.title()).includes(words));
}

/** For each page a text that it must show, and a few more. */
const expected = [
  {
    name: 'now',
    path: '/',
    first: 'Waits for you',
    others: [
      'reviews',
      'Held',
      'success rate',
      'In flight',
      'checkout',
      'Baking',
      '1 of 2 synced',
      'leads',
      'follows',
    ],
  },
  {
    name: 'rollout',
    path: '/rollouts/checkout-4',
    first: 'What happened',
    others: ['Baking', 'checkout-v2', 'Weights', '10 %', 'Gates', 'change d4'],
  },
  {
    name: 'rollout-failed',
    path: '/rollouts/search-1',
    first: 'What happened',
    others: ['Rolled back', 'fails', 'The change is held'],
  },
  { name: 'rollouts', path: '/rollouts', first: 'reviews-', others: ['search-1', 'checkout-4'] },
  { name: 'mesh', path: '/mesh', first: 'Mesh demo', others: ['web', 'checkout.demo.local'] },
  {
    name: 'resource',
    path: '/mesh/demo/VirtualRouter/checkout',
    first: 'changed, not applied yet',
    others: ['rollout checkout-4', 'Leads to', 'Referred to by'],
  },
  {
    name: 'changes',
    path: '/changes',
    first: 'change d4',
    others: ['accepted', 'What it means', 'weight checkout-v2:8080: 0 % → 100 %'],
  },
  { name: 'proxies', path: '/proxies', first: 'proxy-web1', others: ['rejected', 'synced', 'CDS'] },
  {
    name: 'proxy',
    path: '/proxies/proxy-web1',
    first: 'no such cluster',
    others: ['rejected', 'RDS', 'runs what was sent', 'another route', 'a secret'],
  },
  { name: 'events', path: '/events', first: 'checkout-4 Baking', others: ['Export as JSON'] },
] as const;

for (const { name, path, first, others } of expected) {
  pages(`${name}: light, dark and on a phone`, async ({ running, browser }) => {
    for (const { name: look, scheme, width } of views) {
      const view = await browser.open(`${running.url}${path}`, { scheme, width });
      await reads(view, first);
      const main = view.page.locator('main');
      for (const words of others) {
        // Some of a page comes with an answer of its own.
        await until(`${look}: "${words}"`, async () => {
          const text = await main.innerText();
          const isRead = text.toLowerCase().includes(words.toLowerCase());
          return isRead || (await main.getByText(words).count()) > 0;
        });
      }
      await view.picture(`${name}-${look}`);
      await view.assertAccessible();
      await view.assertFits();
      assert.equal(view.complaints, [], `${look}: the browser's complaints`);
      await view.close();
    }
  });
}

pages(
  'a path that is no page says so, and a page of another origin cannot frame it',
  async ({ running, browser }) => {
    const response = await running.get('/');
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.not.match(policy, /unsafe|data:|\*/);
    const view = await browser.open(`${running.url}/rollouts/nothing-9`);
    await reads(view, 'There is no rollout nothing-9');
    await view.close();
  },
);

pages('every page is reached with the keyboard alone', async ({ running, browser }) => {
  const view = await browser.open(`${running.url}/`);
  await reads(view, 'Waits for you');
  await view.page.keyboard.press('Tab');
  assert.is(await view.page.evaluate('document.activeElement.textContent'), 'To the content');
  for (const name of ['Mesh', 'Rollouts', 'Changes', 'Proxies', 'Events']) {
    const link = view.page.getByRole('navigation').getByRole('link', { name });
    await link.focus();
    await view.page.keyboard.press('Enter');
    await titled(view, name);
  }
  await view.page.goBack();
  await titled(view, 'Proxies');
  await view.close();
});

pages(
  'the reader chooses dark or light, and the browser keeps it',
  async ({ running, browser }) => {
    const view = await browser.open(`${running.url}/`);
    const ground = () => view.page.evaluate('getComputedStyle(document.body).backgroundColor');
    await reads(view, 'Waits for you');
    const light = await ground();
    await view.page.getByRole('button', { name: 'Dark colours' }).click();
    assert.is.not(await ground(), light);
    await view.page.reload();
    await reads(view, 'Waits for you');
    assert.is.not(await ground(), light);
    await view.close();
  },
);

pages(
  'the graph leads to a resource, and search leaves what is near',
  async ({ running, browser }) => {
    const view = await browser.open(`${running.url}/mesh`);
    await reads(view, 'Mesh demo');
    await view.page.getByRole('link', { name: /^router checkout/ }).click();
    await reads(view, 'Referred to by');
    assert.match(view.page.url(), /\/mesh\/demo\/VirtualRouter\/checkout$/);
    await view.page.getByRole('searchbox', { name: 'Find a resource' }).fill('checkout-v2');
    await view.page.getByRole('link', { name: /^node web/ }).waitFor({ state: 'detached' });
    assert.is(await view.page.getByRole('link', { name: /^router checkout/ }).count(), 1);
    await view.close();
  },
);

pages('events are filtered, linked to and exported', async ({ running, browser }) => {
  const view = await browser.open(`${running.url}/events`);
  await reads(view, 'checkout-4 Baking');
  await view.page.getByRole('combobox', { name: 'Kind' }).selectOption('revision');
  await view.page.getByText('checkout-4 Baking').first().waitFor({ state: 'detached' });
  await view.page.getByRole('searchbox', { name: 'Filter by text' }).fill('change c3');
  await view.page.getByText('change d4').waitFor({ state: 'detached' });
  assert.match(view.page.url(), /kind=revision&find=change\+c3$/);
  const [download] = await Promise.all([
    view.page.waitForEvent('download'),
    view.page.getByRole('link', { name: 'Export as JSON' }).click(),
  ]);
  assert.is(download.suggestedFilename(), 'headgate-events.json');
  await view.page.locator('ol.history a').first().click();
  await view.page.locator('li.marked').waitFor();
  assert.match(view.page.url(), /\/events\/\d+$/);
  await view.close();
});

pages.run();
