/** Revocation lists as openssl writes them, and what is none. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { issuerAndSerial, revokedSerials } from '../../controller/admission/revocation-list.js';
import { createAuthority, joined } from '../support/authority.js';

const lists = suite('admission: revocation lists');

lists('a list has what was revoked, by its issuer, and nothing else', async () => {
  const [one, two] = await Promise.all([createAuthority('one'), createAuthority('two')]);
  try {
    assert.is(revokedSerials(await readFile(one.crl, 'utf8')).size, 1);
    // Both authorities give their first certificate the same number.
    const files = await Promise.all([
      one.issue('a', 'DNS:a.internal'),
      two.issue('a', 'DNS:a.internal'),
    ]);
    await one.issue('b', 'DNS:b.internal');
    await one.revoke('a');
    const revoked = revokedSerials(await joined(one.crl, two.crl));
    const isRevoked = async (file: string): Promise<boolean> => {
      const { raw, serialNumber } = new X509Certificate(await readFile(file));
      const { issuer, serial } = issuerAndSerial(raw);
      assert.is(serial, serialNumber.replace(/^0+/, ''));
      return revoked.get(issuer)?.has(serial) ?? false;
    };
    assert.is(await isRevoked(files[0].chain), true);
    assert.is(await isRevoked(files[1].chain), false);
    assert.is(await isRevoked(`${one.folder}/b.pem`), false);
  } finally {
    await Promise.all([one.remove(), two.remove()]);
  }
});

lists('what is no list throws', () => {
  const pem = (bytes: Buffer) =>
    `-----BEGIN X509 CRL-----\n${bytes.toString('base64')}\n-----END X509 CRL-----\n`;
  for (const bytes of [
    [0x30],
    [0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
    [0x30, 0x02, 0x30, 0x00],
    [],
  ]) {
    assert.throws(() => revokedSerials(pem(Buffer.from(bytes))));
  }
  assert.is(revokedSerials('nothing').size, 0);
});

lists.run();
