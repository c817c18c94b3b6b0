/**
 * Sign-in by OpenID Connect with a real provider (`oidc-provider`, certified by the OpenID Foundation) on
 * this machine: in Chromium from the dashboard and back, and what the callback must refuse.
 */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Access } from '../../controller/access/access.js';
import { createOidc } from '../../controller/access/oidc.js';
import { freePorts } from '../../controller/demo/free-ports.js';
import { type RunningApi, runApi } from '../api/running-api.js';
import { startBrowser, type TestBrowser } from '../support/browser.js';

interface Context {
  provider: Provider;
  running: RunningApi;
  browser: TestBrowser;
}

interface Provider {
  readonly issuer: string;
  stop(): Promise<void>;
}

const clientSecret = 'secret-of-the-client';

/** Who signs in as which account is what the account claims: the provider asks for no password. */
const claimsOf: Readonly<Record<string, object>> = {
  ann: { email: 'ann@example.com', email_verified: true, groups: ['platform'] },
  bob: { email: 'bob@example.com', email_verified: true, groups: ['others'] },
  eve: { email: 'ann@example.com', email_verified: false, groups: [] },
};

async function startProvider(callback: string): Promise<Provider> {
  // The package has no types of its own.
  const name: string = 'oidc-provider';
  const { Provider } = (await import(name)) as {
    Provider: new (issuer: string, settings: object) => { callback(): RequestListener };
  };
  const server: Server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'headgate',
        client_secret: clientSecret,
        redirect_uris: [callback],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    claims: { email: ['email', 'email_verified'], profile: ['groups'] },
    pkce: { required: () => true },
    cookies: { keys: ['a key of this test'] },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, ...claimsOf[id] }),
    }),
  });
  server.on('request', provider.callback());
  return {
    issuer,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const oidc = suite<Context>('dashboard sign-in by OpenID Connect');

oidc.before(async (context) => {
  const [port = 0] = await freePorts(1);
  const callback = `http://127.0.0.1:${port}/api/v1/session/oidc/callback`;
  context.provider = await startProvider(callback);
  const access = new Access({
    tokens: [],
    oidc: createOidc({
      issuer: context.provider.issuer,
      clientId: 'headgate',
      clientSecret,
      operators: ['ann@example.com'],
      viewers: ['others'],
      scopes: 'email profile',
    }),
    secret: clientSecret,
  });
  const script = [
    'connect web1',
    'commit a1 checkout:v1=100,v2=0',
    'ack',
    'commit b2 checkout:v2=9',
  ];
  context.running = await runApi(script, { access, port, startMs: Date.now() });
  context.browser = await startBrowser();
});

oidc.after(async ({ browser, running, provider }) => {
  await browser.stop();
  await running.stop();
  await provider.stop();
});

/** Goes from the dashboard to the provider, signs in as `account` and comes back. */
async function signIn({ browser, running }: Context, account: string) {
  const view = await browser.open(running.url);
  const { page } = view;
  await page.getByRole('link', { name: 'Sign in with your organisation' }).click();
  await page.locator('input[name=login]').fill(account);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(`${running.url}/**`);
  return view;
}

oidc('who is named as an operator comes back as one', async (context) => {
  const view = await signIn(context, 'ann');
  await view.page.getByText('ann@example.com, operator').waitFor();
  await view.page.getByRole('button', { name: 'Pause', exact: true }).waitFor();
  await view.close();
});

oidc('who is in a group of viewers looks', async (context) => {
  const view = await signIn(context, 'bob');
  await view.page.getByText('bob@example.com, viewer').waitFor();
  assert.is(await view.page.getByRole('button', { name: 'Pause', exact: true }).count(), 0);
  await view.close();
});

oidc('an address that the provider did not verify is nobody', async (context) => {
  const view = await signIn(context, 'eve');
  await view.page.getByRole('alert').getByText('has no role here').waitFor();
  assert.equal(
    await view.page.evaluate("fetch('/api/v1/status').then(({ status }) => status)"),
    401,
  );
  await view.close();
});

oidc('an answer to no question of this browser is refused', async ({ running }) => {
  const callback = '/api/v1/session/oidc/callback?code=stolen&state=stolen';
  assert.is((await running.get(callback)).status, 400);
  const begun = await fetch(`${running.url}/api/v1/session/oidc`, { redirect: 'manual' });
  assert.is(begun.status, 303);
  const [cookie = ''] = (begun.headers.get('set-cookie') ?? '').split(';');
  const url = new URL(begun.headers.get('location') ?? '');
  assert.is(url.searchParams.get('code_challenge_method'), 'S256');
  const headers = { Cookie: cookie };
  const wrongState = await fetch(`${running.url}${callback}`, { headers, redirect: 'manual' });
  assert.is(wrongState.headers.get('location'), '/sign-in?error=oidc-failed');
  assert.not.match(wrongState.headers.get('set-cookie') ?? '', /headgate_session=\w/);
});

oidc('without its provider the controller serves, and says so to who signs in', async (context) => {
  const { url } = context.running;
  await context.provider.stop();
  assert.is((await fetch(`${url}/readyz`)).status, 200);
  assert.is((await fetch(`${url}/api/v1/status`)).status, 401);
});

oidc.run();
