/**
 * Every page of the dashboard in a real Chromium: what it says, in light and dark and on a phone, without
 * a complaint of the browser, a request to elsewhere or a violation that axe knows.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type RunningApi, runApi } from '../api/running-api.js';
import { startBrowser, type TestBrowser, type View } from '../support/browser.js';
import { until } from '../support/until.js';
import { runBusyMesh, shownPages, views } from './shown-pages.js';

interface Context {
  running: RunningApi;
  browser: TestBrowser;
}

const pages = suite<Context>('dashboard pages');

pages.before(async (context) => {
  context.running = await runBusyMesh();
  context.browser = await startBrowser();
});

pages.after(async ({ running, browser }) => {
  await browser.stop();
  await running.stop();
});

/** The text of the page's `main`, once it holds `words`. */
async function reads(view: View, words: string): Promise<string> {
  const main = view.page.locator('main');
  await main.getByText(words, { exact: false }).first().waitFor();
  return main.innerText();
}

function titled(view: View, words: string): Promise<void> {
  return until(`the title to say ${words}`, async () => (await view.page.title()).includes(words));
}

for (const { name, path, first, others } of shownPages) {
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

pages('the first clone is followed, until its commit is there', async ({ browser }) => {
  const running = await runApi([]);
  const { loop } = running;
  const view = await browser.open(`${running.url}/`);
  await reads(view, 'Waiting for the first commit');
  await reads(view, 'Git is being read for the first time; proxies keep what they have.');
  for (const percent of [3, 34]) {
    loop.send({ kind: 'sourceFetching', source: '', percent });
    running.stateChanged();
    await reads(view, `Cloning, ${percent} %.`);
    await reads(view, `cloning, ${percent} %`);
  }
  await view.picture('first-clone');
  await view.assertAccessible();
  running.run('commit a1 checkout:v1=100,v2=0');
  await reads(view, 'The mesh serves what Git asks for');
  assert.not.match(await view.page.locator('main').innerText(), /cloning/i);
  assert.equal(view.complaints, []);
  await view.close();
  await running.stop();
});

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
