/** The API's description: of every route, and true of real answers. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { proxyId } from '../../controller/base/brand.js';
import { projectPath } from '../support/project.js';
import { runApi } from './running-api.js';

const openapi = suite('OpenAPI');

interface Described {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: { readonly 'application/json'?: { schema: object } } }>
  >;
}

/** Every route as the code adds it: `GET /api/v1/rollouts/{id}`. */
function routesInCode(): readonly string[] {
  const files = ['routes', 'browse-routes', 'access-routes'];
  const code = files
    .map((name) => readFileSync(projectPath(`controller/api/${name}.ts`), 'utf8'))
    .join('\n')
    .replaceAll('callbackPath,', "'/api/v1/session/oidc/callback',");
  const commands = ['pause', 'resume', 'promote', 'abort', 'retry', 'approve'];
  const found = [...code.matchAll(/\b(get|route)\(app, ['`](\/[^'`]*)['`](?:, '(\w+)')?/g)];
  return found
    .map(([, kind, path = '', method = 'GET']) => `${kind === 'get' ? 'GET' : method} ${path}`)
    .flatMap((one) =>
      one.includes('$') ? commands.map((command) => one.replace(/\$\{\w+\}/, command)) : [one],
    )
    .map((one) => one.replace(/:(\w+)/g, '{$1}'));
}

openapi('describes every route, and none that is not there', async () => {
  const running = await runApi();
  const document = await running.json<Described>('/api/v1/openapi.json');
  await running.stop();
  assert.is(document.openapi, '3.1.0');
  const described = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.ok(described.length > 25);
  assert.equal([...described].sort(), [...routesInCode()].sort());
});

openapi('is true of what the API answers', async () => {
  const running = await runApi([
    ...['policy steps=10,100 bake=4s min=99 requests=5', 'connect web1'],
    ...['commit a1 checkout:v1=100,v2=0', 'ack', 'commit b2 checkout:v1=0,v2=100', 'ack'],
    ...['traffic checkout-v1 ok=90', 'traffic checkout-v2 err=30', 'tick 1s', 'ack', 'reject d4'],
  ]);
  const synced = { state: 'synced', version: 'c', ackedVersion: 'c', sinceMs: 0 } as const;
  running.proxies.push({
    id: proxyId('proxy-7'),
    identity: { nodeId: 'mesh/demo/virtualNode/web', instance: 'web1', kind: 'envoy' },
    ...{ address: '127.0.0.1:50001', connectedAtMs: 0, ackedGeneration: 1 },
    ...{ types: { cluster: synced }, userAgent: 'envoy 1.40.0' },
  });
  const document = await running.json<Described>('/api/v1/openapi.json');
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': /^\d{4}-\d\d-\d\dT.*Z$/ } });
  ajv.addSchema({ $id: 'doc', ...document });
  const answers: Readonly<Record<string, string>> = {
    '/api/v1/status': '/api/v1/status',
    '/api/v1/rollouts': '/api/v1/rollouts',
    '/api/v1/rollouts/{id}': '/api/v1/rollouts/checkout-1',
    '/api/v1/proxies': '/api/v1/proxies',
    '/api/v1/proxies/{id}': '/api/v1/proxies/proxy-7',
    '/api/v1/problems': '/api/v1/problems',
    '/api/v1/revisions': '/api/v1/revisions',
    '/api/v1/history': '/api/v1/history',
  };
  for (const [path, url] of Object.entries(answers)) {
    const pointer = path.replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D');
    const place = `doc#/paths/${pointer}/get/responses/200/content/application~1json/schema`;
    const body = await running.json<unknown>(url);
    assert.ok(!Array.isArray(body) || body.length > 0, `${url} has nothing to check`);
    const isTrue = ajv.validate(place, body);
    assert.ok(isTrue, `${url}: ${ajv.errorsText()}`);
  }
  const refused = await running.json<unknown>('/api/v1/rollouts/none');
  assert.ok(ajv.validate('doc#/components/schemas/Error', refused), ajv.errorsText());
  await running.stop();
});

openapi.run();
