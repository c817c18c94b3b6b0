/**
 * `headgate demo` and its page in a real Chromium: the story comes by itself, the wall fills with the
 * answers of real requests, and every button does what it says, by commands that are shown.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { StatusView } from '../../controller/api/view.js';
import { runDemo } from '../../controller/demo/demo.js';
import { startBrowser, type TestBrowser, type View } from '../support/browser.js';
import { envoyBinary } from '../support/envoy.js';
import { until } from '../support/until.js';

interface Context {
  readonly lines: string[];
  browser: TestBrowser;
  /** Of the page. */
  url: string;
  view: View;
  /** Ends the demo; its exit code. */
  end(): Promise<number>;
}

const demo = suite<Context>("the demo's page");

/** A chapter bakes for 13 s; a busy machine takes its time besides. */
const chapterMs = 120_000;

demo.before(async (context) => {
  const lines: string[] = [];
  const stop = new AbortController();
  let shown = '';
  const ended = runDemo({
    envoy: await envoyBinary(),
    exit: false,
    program: 'headgate',
    headlineOf: ({ revision }) => `applied ${revision.applied}`,
    say: (line) => lines.push(line),
    show: (url) => {
      shown = url;
    },
    signal: stop.signal,
  });
  const end = () => {
    stop.abort();
    return ended;
  };
  Object.assign(context, { lines, end, browser: await startBrowser() });
  await until('the page to be shown', () => shown !== '');
  context.url = shown;
  context.view = await context.browser.open(shown);
});

demo.after(async ({ browser, end, lines }) => {
  await browser.stop();
  assert.is(await end(), 0, lines.join('\n'));
  assert.is(lines.at(-1), '  everything stopped and removed');
});

function shows(view: View, text: string | RegExp): Promise<void> {
  return view.page.getByRole('main').getByText(text).first().waitFor({ timeout: chapterMs });
}

async function press(view: View, label: string): Promise<void> {
  const button = view.page.getByRole('button', { name: label, exact: true });
  await until(`${label} to be pressable`, async () => {
    return (await button.getAttribute('aria-disabled')) === 'false';
  });
  await button.click();
}

function squares(view: View, kind: string): Promise<number> {
  return view.page.locator(`.wall i.${kind}`).count();
}

/** In the page: what comes of an event that arrives in the frame in which a link is followed. */
const openMeshAndDrawTwice = `(async () => {
  document.querySelector('nav a[href="/mesh"]').click();
  // The page is drawn in the microtasks before this one.
  await new Promise(queueMicrotask);
  history.replaceState(null, '', '/mesh?find=');
  dispatchEvent(new PopStateEvent('popstate'));
  // What is left for after the frame is done then.
  await new Promise((done) => requestAnimationFrame(() => setTimeout(() => setTimeout(done))));
})()`;

async function status({ url }: Context): Promise<StatusView> {
  return (await (await fetch(new URL('/api/v1/status', url))).json()) as StatusView;
}

demo(
  'the story: requests change their colour, errors are crossed, and it ends well',
  async (context) => {
    const { view, lines } = context;
    await shows(view, /^Rolling out checkout: \d+ % of its requests go to checkout-v2$/);
    await until('some squares of v2 among those of v1', async () => {
      return (await squares(view, 'v2')) > 5 && (await squares(view, 'v1')) > 50;
    });
    await view.picture('demo-good');
    await shows(view, 'checkout was taken back and is held');
    assert.ok((await squares(view, 'v3.error')) > 0, 'no square of v3 is crossed');
    await view.picture('demo-bad');
    await until(
      'the story to end',
      () => lines.some((line) => line.includes('Your turn')),
      chapterMs,
    );
    assert.match(lines.join('\n'), / requests through Envoy, 0 lost/);
    await shows(view, 'Your turn');
    await until('three chapters to be done', async () => {
      return (await view.page.locator('.chapters .done').count()) === 3;
    });
    assert.is(await squares(view, 'lost'), 0);
  },
);

demo('a press is refused where it makes no sense, from elsewhere, and by GET', async (context) => {
  const { url } = context;
  const ask = (path: string, headers: Record<string, string> = {}) =>
    fetch(new URL(`/api/demo/press/${path}`, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{}',
    });
  const refused = await ask('revert');
  assert.is(refused.status, 409);
  assert.match(await refused.text(), 'there is nothing to take back');
  assert.is((await ask('everything')).status, 404);
  assert.is((await ask('bad', { origin: 'http://elsewhere.example' })).status, 403);
  assert.is((await ask('bad', { 'content-type': 'text/plain' })).status, 415);
  assert.is((await fetch(new URL('/api/demo/press/bad', url))).status, 405);
});

demo('a mistake is named with its place, and taken back', async (context) => {
  const { view } = context;
  await press(view, 'Break the YAML');
  await shows(view, 'The newest commit is rejected');
  await shows(view, /wieght is no field of .*; did you mean weight\?/);
  await shows(view, /^checkout\.yaml:\d+$/);
  await shows(view, "git commit --quiet --all --message 'checkout: a typing mistake'");
  await view.picture('demo-broken');
  await press(view, 'git revert');
  await shows(view, 'The mesh serves what Git asks for');
  await shows(view, 'git revert --no-edit HEAD');
});

demo('Git stops and starts; a proxy dies and comes back; nobody notices', async (context) => {
  const { view } = context;
  await press(view, 'Stop Git');
  await shows(view, 'Git cannot be reached');
  assert.is(
    await view.page.getByRole('button', { name: /good release/ }).getAttribute('aria-disabled'),
    'true',
  );
  await press(view, 'Kill a proxy');
  await shows(view, /^kill -9 \d+ {3}# checkout-v2-b's Envoy$/);
  await until('the proxy to be missed', async () => {
    return (await status(context)).proxies.connected === 5;
  });
  await view.picture('demo-killed');
  await press(view, 'Bring the proxy back');
  await press(view, 'Start Git again');
  await shows(view, 'mv mesh.git.away mesh.git');
  await until('the proxy to be synced', async () => (await status(context)).proxies.synced === 6);
  await shows(view, 'The mesh serves what Git asks for');
  assert.is(await squares(view, 'lost'), 0);
  await until('the wall to be full of v2', async () => (await squares(view, 'v2')) === 600);
});

demo('a bad release is pressed, seen and taken back', async (context) => {
  const { view } = context;
  const before = context.lines.length;
  await press(view, 'Commit a bad release: v3');
  await shows(view, 'checkout was taken back and is held');
  await until('the terminal to tell of it too', () =>
    context.lines.slice(before).some((line) => /^ {10}ROLLBACK {2}gate success failed/.test(line)),
  );
  assert.not.match(context.lines.join('\n'), /\{"level"|rollout\.rolledBack/);
  await shows(view, /success rate \d+\.\d+% < 99%/);
  await press(view, 'git revert');
  await shows(view, 'The mesh serves what Git asks for');
});

demo(
  'a good release is pressed; it looks well in dark and on a phone meanwhile',
  async (context) => {
    const { view, browser, url } = context;
    await press(view, 'Commit a good release: v1');
    await shows(view, /^Rolling out checkout: \d+ % of its requests go to checkout-v1$/);
    for (const [look, options] of [
      ['light', {}],
      ['dark', { scheme: 'dark' }],
      ['phone', { width: 400 }],
    ] as const) {
      const other = await browser.open(url, options);
      await shows(other, 'What was run');
      await until('the wall to be filled', async () => (await squares(other, 'v1')) > 100);
      await other.picture(`demo-${look}`);
      await other.assertAccessible();
      await other.assertFits();
      assert.equal(other.complaints, [], look);
      await other.close();
    }
    await shows(view, 'The mesh serves what Git asks for');
    await until('v1 to answer alone', async () => {
      return /answered by v1\s+100 %/.test(await view.page.locator('.wall-key').innerText());
    });
    assert.equal(view.complaints, []);
  },
);

demo(
  "every page of the dashboard is there too, and the product has none of the demo's",
  async (context) => {
    const { view } = context;
    await shows(view, '● state of its proxies');
    await view.page.evaluate(openMeshAndDrawTwice);
    await shows(view, 'Mesh shop');
    await view.page.getByRole('link', { name: 'Demo', exact: true }).click();
    await shows(view, '● state of its proxies');
    await view.page.getByRole('link', { name: 'Mesh', exact: true }).click();
    await shows(view, 'Mesh shop');
    await view.page.getByRole('link', { name: 'Demo', exact: true }).click();
    await shows(view, 'Press something');
  },
);

demo.run();
