/**
 * Secrets over real gRPC, in both variants: given to proxies whose resources name them and to nobody else,
 * one at a time when they are rotated, and never taken back or answered empty while they are missing.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../controller/base/assert.js';
import { type Secret, withSecrets } from '../../controller/envoy/secrets.js';
import type { ResourceType, Snapshot } from '../../controller/envoy/snapshot.js';
import { snapshotFor } from '../../controller/envoy/translate.js';
import { until } from '../support/until.js';
import type { DeltaStream, Received, SotwStream } from '../support/xds-client.js';
import { withServer } from '../support/xds-scenario.js';
import type { TestServer } from '../support/xds-server.js';
import { identityOf } from '../support/xds-snapshots.js';
import { meshFromYaml } from '../support/yaml-mesh.js';

const owner = 'mesh/m/virtualNode/vault';
const thief = 'mesh/m/virtualNode/thief';

/** A node whose listener names two secrets; its `mode` is in the listener and nowhere else. */
const meshWith = (mode: 'STRICT' | 'PERMISSIVE') =>
  meshFromYaml(`apiVersion: headgate/v1
kind: Mesh
metadata: { name: m }
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: vault }
spec:
  listeners:
    - portMapping: { port: 8080, protocol: http }
      tls:
        mode: ${mode}
        certificate: { sds: { secretName: server } }
        validation: { trust: { sds: { secretName: authorities } } }
  serviceDiscovery: { dns: { hostname: vault.internal } }
`);

const translate = (mode: 'STRICT' | 'PERMISSIVE') =>
  present(
    snapshotFor(meshWith(mode), {
      ...identityOf(owner),
      resource: { mesh: 'm', kind: 'VirtualNode', name: 'vault' },
    }),
    'a node that is there',
  );
const translated = translate('STRICT');

const pair = (text: string): Secret => ({
  certificate: {
    kind: 'certificate',
    chain: Buffer.from(`chain ${text}`),
    key: Buffer.from(`key ${text}`),
  },
});
const trust: Secret = { trust: { kind: 'trust', authorities: Buffer.from('ca') } };
const [first, second] = [pair('1'), pair('2')];

function snapshotWith(
  secrets: Readonly<Record<string, Secret>>,
  snapshot: Snapshot = translated,
): Snapshot {
  return withSecrets(snapshot, new Map(Object.entries(secrets)));
}

const whole = snapshotWith({ server: first, authorities: trust, other: second });
/** The same secrets, and another listener of the same name. */
const relistened = snapshotWith({ server: first, authorities: trust }, translate('PERMISSIVE'));

/** Both variants as one: what a test asks for, and what it gets. */
interface Asking {
  /** `has`: what the client says to have already, by name and version. */
  ask(type: ResourceType, names: readonly string[], has?: Readonly<Record<string, string>>): void;
  /** The next response of secrets, acknowledged; others on the way stay unanswered. */
  receive(): Promise<Received>;
}

async function nextSecrets(stream: SotwStream | DeltaStream): Promise<Received> {
  const response = await stream.next();
  return response.type === 'secret' ? response : nextSecrets(stream);
}

function asking(t: TestServer, variant: 'sotw' | 'delta', node: string): Asking {
  if (variant === 'delta') {
    const stream = t.client().delta(node);
    return {
      ask: (type, names, has) =>
        stream.send(type, { resource_names_subscribe: names, initial_resource_versions: has }),
      receive: async () => {
        const response = await nextSecrets(stream);
        stream.ack(response);
        return response;
      },
    };
  }
  const stream = t.client().sotw(node);
  const asked = new Map<ResourceType, readonly string[]>();
  return {
    ask: (type, names, has) => {
      asked.set(type, names);
      const version_info = has && Object.values(has).join();
      stream.send(type, { resource_names: names, version_info });
    },
    receive: async () => {
      const response = await nextSecrets(stream);
      stream.ack(response, asked.get('secret'));
      return response;
    },
  };
}

/** `toJSON` of a buffer comes before the replacer. */
function asBase64(_key: string, value: unknown): unknown {
  const { type, data } = (value ?? {}) as { readonly type?: unknown; readonly data?: number[] };
  return type === 'Buffer' && data !== undefined ? Buffer.from(data).toString('base64') : value;
}

function stateOf({ server }: TestServer): string | undefined {
  return server.proxies()[0]?.types.secret?.state;
}

for (const variant of ['sotw', 'delta'] as const) {
  const scenario = (name: string, play: (t: TestServer) => Promise<void>): void =>
    test(`44: ${variant}: ${name}`, withServer(play));

  scenario('a rotation sends the one secret that changed', async (t) => {
    t.serve(owner, whole);
    const stream = asking(t, variant, owner);
    stream.ask('secret', ['server', 'authorities']);
    assert.equal([...(await stream.receive()).names].sort(), ['authorities', 'server']);
    await until('the secrets are acknowledged', () => stateOf(t) === 'synced');
    t.serve(owner, snapshotWith({ server: second, authorities: trust }));
    const { names, removed, resources } = await stream.receive();
    assert.equal({ names, removed }, { names: ['server'], removed: [] });
    const inline = Buffer.from('chain 2').toString('base64');
    assert.match(
      JSON.stringify(resources, asBase64),
      `"certificate_chain":{"inline_bytes":"${inline}"}`,
    );
  });

  scenario('nobody is given all of them, whatever is asked for', async (t) => {
    t.serve(owner, whole);
    const stream = asking(t, variant, owner);
    stream.ask('secret', ['*', 'authorities']);
    assert.equal((await stream.receive()).names, ['authorities']);
  });

  scenario(
    'one that is missing is neither answered nor removed, and sent when it comes',
    async (t) => {
      t.serve(owner, snapshotWith({ authorities: trust }));
      const stream = asking(t, variant, owner);
      stream.ask('secret', ['server', 'authorities']);
      const { names, removed } = await stream.receive();
      assert.equal({ names, removed }, { names: ['authorities'], removed: [] });
      await until('one is known to be missing', () => stateOf(t) === 'stale');
      assert.is(t.server.proxies()[0]?.ackedGeneration, 0, 'it has not everything');
      t.serve(owner, snapshotWith({ server: first, authorities: trust }));
      assert.equal((await stream.receive()).names, ['server']);
      await until('the secrets are acknowledged', () => stateOf(t) === 'synced');
    },
  );

  scenario('22: a rotation leaves the listener alone, that names its secret', async (t) => {
    t.serve(owner, whole);
    const listener = whole.listener.version;
    const rotated = snapshotWith({ server: second, authorities: trust });
    assert.is(rotated.listener.version, listener, 'its configuration source is the same bytes');
    const stream = asking(t, variant, owner);
    stream.ask('secret', ['server', 'authorities']);
    await stream.receive();
    await until('the secrets are acknowledged', () => stateOf(t) === 'synced');
    // Envoy asks again for the secret of a listener that it takes up anew.
    stream.ask('secret', ['server', 'authorities']);
    assert.equal([...(await stream.receive()).names].sort(), ['authorities', 'server']);
  });

  scenario('what is lost over a restart stays with those who have it', async (t) => {
    t.serve(owner, snapshotWith({ authorities: trust }));
    const version = whole.secret.byName.get('server')?.version ?? '';
    const stream = asking(t, variant, owner);
    stream.ask('secret', ['server', 'authorities'], { server: version });
    const { names, removed } = await stream.receive();
    assert.equal({ names, removed }, { names: ['authorities'], removed: [] });
  });

  scenario('a proxy gets no secret that its resources do not name', async (t) => {
    t.serve(owner, whole);
    const legitimate = asking(t, variant, owner);
    legitimate.ask('secret', ['server']);
    assert.equal((await legitimate.receive()).names, ['server']);
    t.serve(thief, { sds: ['barrier'] });
    const stream = asking(t, variant, thief);
    // As one that comes back and says to have a cluster which nobody knows.
    stream.ask('cluster', ['*'], { x: 'made-up' });
    stream.ask('secret', ['server', 'barrier']);
    assert.equal((await stream.receive()).names, ['barrier']);
  });
}

const secretNames = ['server', 'authorities'];
const sorted = ({ names }: Received): readonly string[] => [...names].sort();

test(
  '22: delta: secrets follow a changed listener unasked',
  withServer(async (t) => {
    t.serve(owner, whole);
    const stream = t.client().delta(owner);
    stream.send('listener');
    stream.ack(await stream.receive('listener'));
    stream.send('secret', { resource_names_subscribe: secretNames });
    stream.ack(await stream.receive('secret'));
    t.serve(owner, relistened);
    const { names, removed } = await stream.receive('listener');
    assert.equal({ names, removed }, { names: ['lds_ingress_0.0.0.0_15000'], removed: [] });
    assert.equal(sorted(await stream.receive('secret')), ['authorities', 'server']);
  }),
);

test(
  '22: state of the world: secrets are answered again after their listener changed',
  withServer(async (t) => {
    t.serve(owner, whole);
    const stream = t.client().sotw(owner);
    stream.send('listener');
    stream.ack(await stream.receive('listener'));
    stream.send('secret', { resource_names: secretNames });
    const secrets = await stream.receive('secret');
    stream.ack(secrets, secretNames);
    t.serve(owner, relistened);
    await stream.receive('listener');
    // The same request once more, with the version and nonce that it has.
    stream.ack(secrets, secretNames);
    assert.equal(sorted(await stream.receive('secret')), ['authorities', 'server']);
  }),
);

test.run();
