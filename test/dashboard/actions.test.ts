/**
 * What people press, in a real Chromium: each command with its reason, refusals, and what somebody who may
 * only look is shown; and that the page follows a rollout, says when it is cut off, and goes on by itself.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Access } from '../../controller/access/access.js';
import { hashOf } from '../../controller/access/tokens.js';
import { type RunningApi, runApi } from '../api/running-api.js';
import { startBrowser, type TestBrowser, type View } from '../support/browser.js';
import { until } from '../support/until.js';

interface Context {
  browser: TestBrowser;
  running: RunningApi;
}

const start = [
  'policy steps=10,50,100 bake=10s approve=2',
  'connect web1',
  'commit a1 checkout:v1=100,v2=0',
  'ack',
  'commit b2 checkout:v1=0,v2=100',
  'ack',
  'traffic checkout-v1 ok=90',
  'traffic checkout-v2 ok=10',
];

const actions = suite<Context>('dashboard actions');

actions.before(async (context) => {
  context.browser = await startBrowser();
});

actions.after(({ browser }) => browser.stop());

actions.before.each(async (context) => {
  context.running = await runApi(start, { startMs: Date.now() });
});

actions.after.each(({ running }) => running.stop());

async function press(view: View, button: string, reason: string): Promise<void> {
  const { page } = view;
  await page.getByRole('main').getByRole('button', { name: button, exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill(reason);
  await view.assertAccessible();
  await dialog.getByRole('button', { name: button, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

function shows(view: View, text: string): Promise<void> {
  return view.page.getByRole('main').getByText(text).first().waitFor();
}

actions(
  'pause, resume, approve, promote, abort and retry, each with its reason',
  async ({ running, browser }) => {
    const view = await browser.open(`${running.url}/rollouts/checkout-1`);
    await shows(view, 'Baking');
    await press(view, 'Pause', "Ann's lunch");
    await shows(view, "pause by ann: Ann's lunch");
    await press(view, 'Resume', 'back again');
    await shows(view, 'Baking');
    running.run('tick 15s');
    await shows(view, 'Waiting for approval');
    await press(view, 'Approve', 'figures look well');
    running.run('ack');
    await shows(view, 'Baking');
    await press(view, 'Abort', 'second thoughts');
    running.run('ack');
    await shows(view, 'Aborted');
    await shows(view, 'The change is held');
    await press(view, 'Retry', 'third thoughts');
    await view.page.goto(`${running.url}/`);
    running.run('ack', 'tick 1s');
    await shows(view, 'Rolling out checkout');
    await press(view, 'Promote', 'it is urgent');
    running.run('ack');
    await shows(view, 'The mesh serves what Git asks for');
    assert.equal(
      running.commands.map(({ command, reason }) => [command, reason]),
      [
        ['pause', "Ann's lunch"],
        ['resume', 'back again'],
        ['approve', 'figures look well'],
        ['abort', 'second thoughts'],
        ['retry', 'third thoughts'],
        ['promote', 'it is urgent'],
      ],
    );
    assert.equal(view.complaints, []);
    await view.close();
  },
);

actions(
  'the dialog shows the same as a command, and promote wants a reason',
  async ({ running, browser }) => {
    const view = await browser.open(`${running.url}/`);
    await view.page.getByRole('button', { name: 'Promote', exact: true }).click();
    const dialog = view.page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Promote', exact: true }).click();
    assert.equal(running.commands, [], 'nothing is sent without a reason');
    await dialog.getByRole('textbox').fill("it's late");
    const words = "headgate promote checkout-1 --reason 'it'\\''s late'";
    await dialog.getByText(words).waitFor();
    await view.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    assert.equal(running.commands, []);
    await view.close();
  },
);

actions('a command that is refused says why', async ({ running, browser }) => {
  const view = await browser.open(`${running.url}/`);
  await view.page.getByRole('button', { name: 'Pause', exact: true }).click();
  running.loop.run('promote checkout-1');
  const dialog = view.page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Pause', exact: true }).click();
  await dialog.getByRole('alert').getByText('cannot pause').waitFor();
  await view.close();
});

actions.run();

const live = suite<Context>('dashboard, live');

live.before(async (context) => {
  context.browser = await startBrowser();
});

live.after(({ browser }) => browser.stop());

live.after.each(({ running }) => running.stop());

live('the page follows a rollout from its first step to its end', async (context) => {
  const { browser } = context;
  const running = await runApi(start.slice(0, 4), { startMs: Date.now() });
  context.running = running;
  const view = await browser.open(`${running.url}/`);
  await shows(view, 'The mesh serves what Git asks for');
  running.run('commit b2 checkout:v1=0,v2=100');
  const startedMs = performance.now();
  await shows(view, 'Rolling out checkout');
  const eventMs = Math.round(performance.now() - startedMs);
  running.run('ack', ...start.slice(-2), 'tick 3s');
  await shows(view, '10 % actual');
  running.run('tick 10s');
  await shows(view, 'checkout waits for your approval');
  await until('the title to say it', async () => (await view.page.title()).startsWith('(1) Now'));
  running.run('approve checkout-1', 'ack', 'tick 11s', 'ack', 'tick 11s', 'ack');
  await shows(view, 'The mesh serves what Git asks for');
  assert.equal(view.complaints, []);
  process.stdout.write(`  figures ${JSON.stringify({ eventToScreenMs: eventMs })}\n`);
  await view.close();
});

live('a page that is cut off says so, and goes on when the controller is back', async (context) => {
  const { browser } = context;
  const first = await runApi(start, { startMs: Date.now() });
  context.running = first;
  const view = await browser.open(`${first.url}/`);
  await shows(view, 'Rolling out checkout');
  await first.stop();
  await view.page.getByText('What you see is').waitFor();
  await view.picture('stale');
  await view.assertAccessible();
  assert.is(await view.page.getByText('stale', { exact: true }).count(), 1);
  context.running = await runApi([...start, 'abort checkout-1 no', 'ack'], {
    startMs: Date.now(),
    port: first.address.port,
  });
  await shows(view, 'checkout was taken back and is held');
  await view.page.getByText('What you see is').waitFor({ state: 'detached' });
  await view.close();
});

live.run();

const roles = suite<Context>('dashboard roles');

roles.before(async (context) => {
  context.browser = await startBrowser();
  const tokens = [
    { role: 'viewer', name: 'wall', hash: hashOf('token-of-the-wall') },
    { role: 'operator', name: 'ann', hash: hashOf('token-of-ann-long') },
  ] as const;
  const access = new Access({ tokens, secret: 'a secret of this test' });
  context.running = await runApi(start, { startMs: Date.now(), access });
});

roles.after(async ({ browser, running }) => {
  await browser.stop();
  await running.stop();
});

async function signIn(view: View, token: string): Promise<void> {
  await view.page.getByLabel('Token').fill(token);
  await view.page.getByRole('button', { name: 'Sign in' }).click();
}

roles('nobody sees anything before they sign in', async ({ browser, running }) => {
  const view = await browser.open(`${running.url}/rollouts/checkout-1`);
  await view.page.getByRole('heading', { name: 'Sign in to Headgate' }).waitFor();
  await view.assertAccessible();
  await view.picture('sign-in');
  await signIn(view, 'a token that nobody has');
  await view.page.getByRole('alert').getByText('the token is not known here').waitFor();
  assert.is(await view.page.getByText('checkout').count(), 0);
  await view.close();
});

roles('a viewer looks, and has nothing to press', async ({ browser, running }) => {
  const view = await browser.open(`${running.url}/rollouts/checkout-1`);
  await signIn(view, 'token-of-the-wall');
  await shows(view, 'commands need the role operator');
  assert.is(await view.page.getByRole('button', { name: 'Abort' }).count(), 0);
  await view.close();
});

roles(
  'an operator commands by name, stays signed in, and signs out',
  async ({ browser, running }) => {
    const view = await browser.open(`${running.url}/rollouts/checkout-1`);
    await signIn(view, 'token-of-ann-long');
    await press(view, 'Pause', 'a look at the figures');
    await shows(view, 'pause by ann: a look at the figures');
    assert.is(running.commands.at(-1)?.by, 'ann');
    await view.page.reload();
    await shows(view, 'Paused');
    const cookies = await view.page.context().cookies();
    assert.equal(
      cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite]),
      [[true, 'Strict']],
    );
    await view.page.getByRole('button', { name: 'Sign out' }).click();
    await view.page.getByRole('heading', { name: 'Sign in to Headgate' }).waitFor();
    await until('the cookie is gone', async () => {
      return (await view.page.context().cookies()).length === 0;
    });
    await view.close();
  },
);

roles.run();
