/** A secret that was committed by mistake is named by its field and never repeated. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { quoteText, quoteValue } from '../../controller/decode/quote.js';
import { revisionOf } from '../support/revision.js';

const test = suite('secrets in mesh files');

const secrets = {
  'a private key':
    '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----',
  'an AWS key id': 'AKIAIOSFODNN7EXAMPLE',
  'a GitHub token': 'ghp_16C7e42F292c6912E7710c838347Ae178B4a',
  'a GitLab token': 'glpat-abcdefghij0123456789',
  'a Slack token': 'xoxb-123456789012-abcdefghijkl',
  'a JSON web token': 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP',
  'a bearer header': 'Bearer c29tZS1zZWNyZXQ=',
  '64 hexadecimal digits': '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  'a password in a URL': 'https://user:hunter2hunter2@git.example/mesh.git',
};

/** Wrong wherever it stands: as a name, a word, a number, a list, an unknown field and a bad document. */
function meshWith(secret: string): string {
  const quoted = JSON.stringify(secret);
  return `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ${quoted}, labels: ${quoted} }
spec:
  listeners: [{ portMapping: { port: ${quoted}, protocol: ${quoted} } }]
  serviceDiscovery: { dns: { hostname: ${quoted} }, static: { endpoints: [{ address: ${quoted} }] } }
  ${quoted}: 1
---
apiVersion: ${quoted}
---
apiVersion: headgate/v1
kind: ${quoted}
---
${quoted}
---
apiVersion: headgate/v1
kind: RolloutPolicy
metadata: { name: p }
spec: { steps: [{ progress: 100, bake: ${quoted} }] }
`;
}

for (const [name, secret] of Object.entries(secrets)) {
  test(`${name} is in no part of any problem`, () => {
    const { problems } = loadMeshes(revisionOf({ 'mesh.yaml': meshWith(secret) }));
    assert.ok(problems.length >= 8, `${problems.length} problems`);
    const told = JSON.stringify(problems);
    for (const part of secret.match(/[A-Za-z0-9]{12,}/g) ?? []) {
      assert.not(told.includes(part), `${part} is in ${told}`);
    }
  });
}

test('what looks like no secret is shown', () => {
  for (const text of ['reviews-v1', 'reviews.shop.svc.cluster.local', '/certs/web.key', 'a b: c']) {
    assert.is(quoteText(text), JSON.stringify(text));
  }
});

test('a field that is called a secret keeps its value to itself, one that names a secret does not', () => {
  assert.is(quoteValue('hunter2', 'password'), '[redacted]');
  assert.is(quoteValue('web-cert', 'secretName'), '"web-cert"');
});

test('what a terminal obeys or an eye misreads is written out', () => {
  assert.is(quoteText('a\u001b[31mb\nc'), '"a\\u001b[31mb\\nc"');
  assert.is(quoteText('a\u202eb\u200bc\u0085'), '"a\\u202eb\\u200bc\\u0085"');
  assert.is(quoteText('x'.repeat(100)), `"${'x'.repeat(60)}…"`);
});

test.run();
