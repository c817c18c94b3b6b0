/** Secrets from variables: found by name, checked like files, and behind what the folder has. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  readSecretVariables,
  withVariables,
} from '../../controller/certificates/secret-variables.js';
import { secretVariablesOf } from '../../controller/config/environment.js';
import type { Secret, Secrets } from '../../controller/envoy/secrets.js';
import type { SecretSource } from '../../controller/loop/ports.js';
import { certificateFolder, issueCertificate } from '../support/certificates.js';
import { recordingLogger } from '../support/recording-logger.js';

const test = suite('secrets in variables');
const { chain, key } = await issueCertificate('variables', 'web');
const chainPem = await readFile(chain, 'utf8');
const keyPem = await readFile(key, 'utf8');
const authoritiesPem = await readFile(join(await certificateFolder(), 'ca.pem'), 'utf8');

/** What is found of the environment `env`, and what was logged. */
function read(env: Readonly<Record<string, string>>) {
  const logger = recordingLogger();
  const secrets = readSecretVariables(secretVariablesOf(env), { env, logger });
  return { secrets, lines: logger.lines };
}

function chainOf(secrets: Secrets, name: string): string | undefined {
  const found = secrets.get(name)?.certificate?.chain;
  return found && Buffer.from(found).toString();
}

test('a name is looked up in capitals, with an underscore for what is no letter or digit', () => {
  const { secrets } = read({
    HEADGATE_TLS_CRT_SPIFFE___MESH_WEB: chainPem,
    HEADGATE_TLS_KEY_SPIFFE___MESH_WEB: keyPem,
    HEADGATE_CA_CRT_AUTHORITIES: authoritiesPem,
  });
  assert.is(chainOf(secrets, 'spiffe://mesh/web'), chainPem);
  assert.is(secrets.get('spiffe://mesh/web')?.trust, undefined);
  assert.equal(secrets.get('authorities')?.trust, {
    kind: 'trust',
    authorities: Buffer.from(authoritiesPem),
  });
  assert.is(secrets.get('other'), undefined);
});

test('line breaks may be written as \\n, as a file of variables has them', () => {
  const { secrets } = read({
    HEADGATE_TLS_CRT_WEB: chainPem.replaceAll('\n', '\\n'),
    HEADGATE_TLS_KEY_WEB: keyPem.replaceAll('\n', '\\n'),
  });
  assert.is(chainOf(secrets, 'web'), chainPem);
});

test('half a pair and foreign text are refused by name, and no text is logged', () => {
  const { secrets, lines } = read({
    HEADGATE_TLS_CRT_HALF: chainPem,
    HEADGATE_CA_CRT_WRONG: 'hunter2',
  });
  assert.is(chainOf(secrets, 'half'), undefined);
  assert.is(secrets.get('wrong')?.trust, undefined);
  assert.equal(
    lines.map(({ event, fields }) => [event, fields]),
    [
      ['certificates.refused', { variable: 'HALF', reason: 'has no tls.key' }],
      ['certificates.refused', { variable: 'WRONG', reason: 'ca.crt holds no certificate' }],
    ],
  );
});

test('an empty variable is none', () => {
  assert.equal(secretVariablesOf({ HEADGATE_TLS_CRT_WEB: '', HEADGATE_TLS_KEYS: 'x' }), []);
});

test('what the folder has wins, also where it comes later, and variables fill in the rest', async () => {
  const other: Secret = {
    certificate: { kind: 'certificate', chain: Buffer.from('f'), key: Buffer.from('f') },
  };
  let change: (secrets: Secrets) => void = () => undefined;
  const folder: SecretSource = {
    start: async (onChange) => {
      change = onChange;
      return new Map();
    },
    expiries: () => [],
    stop: async () => undefined,
  };
  const { secrets } = read({
    HEADGATE_TLS_CRT_WEB: chainPem,
    HEADGATE_TLS_KEY_WEB: keyPem,
    HEADGATE_CA_CRT_WEB: authoritiesPem,
  });
  const told: Secrets[] = [];
  const first = await withVariables(folder, secrets).start((each) => told.push(each));
  assert.is(chainOf(first, 'web'), chainPem);
  change(new Map([['web', other]]));
  assert.is(told.at(-1)?.get('web')?.certificate, other.certificate);
  assert.is(told.at(-1)?.get('web')?.trust, secrets.get('web')?.trust);
});

test.run();
