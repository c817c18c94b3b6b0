/** When secrets end, by certificates that openssl made. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { expiriesOf, firstEndMs } from '../../controller/certificates/expiries.js';
import type { Secret } from '../../controller/envoy/secrets.js';
import { certificateFolder } from '../support/certificates.js';

const expiries = suite('ends of certificates');

expiries('are those of each use of each secret, the same at every look', async () => {
  const folder = await certificateFolder();
  const [chain, key, authorities] = await Promise.all(
    ['server.pem', 'server.key', 'ca.pem'].map((name) => readFile(join(folder, name))),
  );
  assert.ok(chain && key && authorities);
  const secrets = new Map<string, Secret>([
    ['web', { certificate: { kind: 'certificate', chain, key } }],
    ['roots', { trust: { kind: 'trust', authorities } }],
    ['empty', { trust: { kind: 'trust', authorities: Buffer.from('no certificate') } }],
  ]);
  const found = expiriesOf(secrets);
  assert.equal(
    found.map(({ name, use }) => `${name} ${use}`),
    ['web certificate', 'roots trust'],
  );
  assert.ok(found.every(({ atMs }) => atMs > Date.now()));
  assert.equal(expiriesOf(secrets), found);
});

expiries('of several authorities are the first end', async () => {
  const folder = await certificateFolder();
  const both = await Promise.all(
    ['ca.pem', 'server.pem'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  const ends = both.map((pem) => firstEndMs(pem) ?? 0);
  assert.is(firstEndMs(both.join('')), Math.min(...ends));
  assert.is(firstEndMs(''), undefined);
});

expiries.run();
