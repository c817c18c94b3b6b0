/**
 * Secrets into snapshots, as a pure function: only those that are named, for what they are named, and a
 * rotation that leaves everything else the very object that it was.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSnapshot } from '../../controller/envoy/check-snapshot.js';
import { missingSecrets, type Secret, withSecrets } from '../../controller/envoy/secrets.js';
import type { Snapshot } from '../../controller/envoy/snapshot.js';
import { resourceTypes } from '../../controller/envoy/snapshot.js';
import { snapshotFor } from '../../controller/envoy/translate.js';
import { decodeSnapshot } from '../support/static-bootstrap.js';
import { meshFromYaml } from '../support/yaml-mesh.js';

const test = suite('secrets in snapshots');

/** `vault` shows `certificate` and checks its callers by `trust`; `plain` names nothing. */
function snapshotOf(name: 'vault' | 'plain', certificate = 'server', trust = 'ca'): Snapshot {
  const mesh = meshFromYaml(`apiVersion: headgate/v1
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
        mode: STRICT
        certificate: { sds: { secretName: the-certificate } }
        validation: { trust: { sds: { secretName: the-trust } } }
  serviceDiscovery: { dns: { hostname: vault.internal } }
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: plain }
spec: {}
`);
  // Named only now: a rollout may mix what no revision has, one name for both uses.
  const named = JSON.stringify(mesh).replace('the-certificate', certificate);
  const made = snapshotFor(JSON.parse(named.replace('the-trust', trust)), {
    nodeId: `mesh/m/virtualNode/${name}`,
    resource: { mesh: 'm', kind: 'VirtualNode', name },
    instance: name,
    kind: 'envoy',
  });
  assert.ok(made);
  return made as Snapshot;
}

const pair = (text: string): Secret => ({
  certificate: {
    kind: 'certificate',
    chain: Buffer.from(`chain ${text}`),
    key: Buffer.from(`key ${text}`),
  },
});
const trust: Secret = { trust: { kind: 'trust', authorities: Buffer.from('ca') } };
const secrets = new Map([
  ['server', pair('1')],
  ['ca', trust],
  ['other', pair('2')],
]);

test('a snapshot gets the secrets that it names, each for its use', () => {
  const { secret } = decodeSnapshot(withSecrets(snapshotOf('vault'), secrets));
  assert.equal(secret, {
    ca: {
      name: 'ca',
      validation_context: { trusted_ca: { inline_bytes: Buffer.from('ca') } },
    },
    server: {
      name: 'server',
      tls_certificate: {
        certificate_chain: { inline_bytes: Buffer.from('chain 1') },
        private_key: { inline_bytes: Buffer.from('key 1') },
      },
    },
  });
});

test('a snapshot that names none is the very same', () => {
  const plain = snapshotOf('plain');
  assert.is(withSecrets(plain, secrets), plain);
});

test('a rotation makes one resource anew, one of others nothing', () => {
  const made = snapshotOf('vault');
  const before = withSecrets(made, secrets);
  assert.is(withSecrets(made, new Map(secrets).set('other', pair('3'))), before);
  const after = withSecrets(made, new Map(secrets).set('server', pair('4')));
  for (const type of resourceTypes.filter((each) => each !== 'secret')) {
    assert.is(after[type], before[type], type);
  }
  assert.is(after.secret.byName.get('ca'), before.secret.byName.get('ca'));
  assert.is.not(
    after.secret.byName.get('server')?.version,
    before.secret.byName.get('server')?.version,
  );
  assert.is.not(after.secret.version, before.secret.version);
});

test('what is missing is left out and named, and leaves nothing dangling', () => {
  const whole = withSecrets(snapshotOf('vault'), new Map([['ca', trust]]));
  assert.equal([...whole.secret.byName.keys()], ['ca']);
  assert.equal(missingSecrets(whole), [{ name: 'server', use: 'certificate' }]);
  assert.equal(checkSnapshot(whole), []);
  assert.equal(missingSecrets(withSecrets(whole, secrets)), []);
});

test('a certificate is never served where authorities are named', () => {
  const whole = withSecrets(snapshotOf('vault', 'server', 'other'), secrets);
  assert.equal([...whole.secret.byName.keys()], ['server']);
  assert.equal(missingSecrets(whole), [{ name: 'other', use: 'trust' }]);
});

test('one name for both uses is missing, since Envoy could tell them apart by nothing', () => {
  const both = new Map([['both', { ...pair('1'), ...trust }]]);
  const whole = withSecrets(snapshotOf('vault', 'both', 'both'), both);
  assert.equal([...whole.secret.byName.keys()], []);
  assert.equal(missingSecrets(whole), [{ name: 'both', use: 'both' }]);
});

test.run();
