/**
 * TLS between real Envoys, served by the real controller from a mesh on disk, a folder of secrets and a
 * variable with the authorities: who is let in and who is not, by mode, certificate and name, and certificates that are replaced while
 * requests go through. `vault` demands certificates of its callers; `web` and `stranger` show theirs.
 */
import { X509Certificate } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProxyView } from '../../controller/api/proxy-view.js';
import { freePorts } from '../../controller/demo/free-ports.js';
import { startLoad } from '../../controller/demo/load.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { startHttpApp } from '../support/apps.js';
import { certificateFolder, type Issued, issueCertificate } from '../support/certificates.js';
import { type RunningEnvoy, startEnvoy } from '../support/envoy.js';
import { statOf } from '../support/envoy-stats.js';
import { type HeadgateProcess, startHeadgate } from '../support/headgate.js';
import { openStage, type Undo } from '../support/stage.js';
import { callInPlain, callOverTls, failureOf } from '../support/tls-clients.js';
import { until } from '../support/until.js';

const servers = ['vault', 'open', 'plain', 'late'] as const;
const callers = ['web', 'stranger', 'hasty'] as const;
/** Those that speak the older variant of xDS. */
const stateOfTheWorld: readonly string[] = ['open', 'stranger', 'hasty'];
type Server = (typeof servers)[number];
type Caller = (typeof callers)[number];

interface Stage {
  readonly headgate: HeadgateProcess;
  readonly secrets: string;
  readonly authorities: string;
  /** Where each server's sidecar listens, and each caller's. */
  readonly port: Readonly<Record<Server | Caller, number>>;
  readonly envoy: Readonly<Record<Server | Caller, RunningEnvoy>>;
  readonly client: Issued;
  readonly stranger: Issued;
}

const test = suite('TLS through real Envoys');
const undo: Undo = [];

function server(name: Server | 'impostor', port: number, appPort: number, tls: string): string {
  return `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ${name} }
spec:
  listeners: [{ portMapping: { port: ${appPort}, protocol: http }, tls: ${tls} }]
  serviceDiscovery: { static: { endpoints: [{ address: 127.0.0.1, port: ${port} }] } }
---
apiVersion: headgate/v1
kind: VirtualService
metadata: { name: ${name}.local }
spec: { provider: { virtualNode: { virtualNodeRef: { name: ${name} } } } }`;
}

/** A caller that shows the secret `shown`, and takes servers of the name `expected` alone. */
function caller(name: Caller, shown: string, backends: Readonly<Record<string, string>>): string {
  const list = Object.entries(backends).map(
    ([backend, expected]) => `
    - virtualService:
        virtualServiceRef: { name: ${backend}.local }
        clientPolicy:
          tls:
            enforce: false
            certificate: { sds: { secretName: ${shown} } }
            validation:
              trust: { sds: { secretName: authorities } }
              subjectAlternativeNames: { match: { exact: [${expected}] } }`,
  );
  return `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ${name} }
spec:
  backends:${list.join('')}`;
}

function meshYaml(port: Stage['port'], appPort: number, file: Issued): string {
  const bySecret = (secret: string) => `certificate: { sds: { secretName: ${secret} } }`;
  const byFile = `certificate: { file: { certificateChain: ${file.chain}, privateKey: ${file.key} } }`;
  const trust = 'trust: { sds: { secretName: authorities } }';
  const names = 'subjectAlternativeNames: { match: { exact: [client.internal] } }';
  const strict = `{ mode: STRICT, ${bySecret('server')}, validation: { ${trust}, ${names} } }`;
  return [
    'apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: tls }\nspec: {}',
    server('vault', port.vault, appPort, strict),
    server('open', port.open, appPort, `{ mode: PERMISSIVE, ${byFile} }`),
    server('plain', port.plain, appPort, `{ mode: DISABLED, ${byFile} }`),
    server('late', port.late, appPort, `{ mode: STRICT, ${bySecret('late-server')} }`),
    // At the very address of `open`, but under a name that its certificate does not have.
    server('impostor', port.open, appPort, `{ mode: STRICT, ${byFile} }`),
    caller('web', 'client', {
      vault: 'server.internal',
      open: 'server.internal',
      plain: 'server.internal',
      impostor: 'other.internal',
    }),
    caller('stranger', 'stranger', { vault: 'server.internal' }),
    caller('hasty', 'late-client', { vault: 'server.internal', plain: 'server.internal' }),
  ].join('\n---\n');
}

/** As tools do that know how: whole files, renamed into place. */
async function putSecret(
  secrets: string,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(join(secrets, name), { recursive: true });
  for (const [file, source] of Object.entries(files)) {
    await copyFile(source, join(secrets, name, `.${file}`));
    await rename(join(secrets, name, `.${file}`), join(secrets, name, file));
  }
}

function putPair(secrets: string, name: string, { chain, key }: Issued): Promise<void> {
  return putSecret(secrets, name, { 'tls.crt': chain, 'tls.key': key });
}

async function setUp(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-tls-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const certificates = await certificateFolder();
  const authorities = join(certificates, 'ca.pem');
  const pair = (name: string): Issued => ({
    chain: join(certificates, `${name}.pem`),
    key: join(certificates, `${name}.key`),
  });
  const client = pair('client');
  const stranger = await issueCertificate('stranger', 'stranger');
  const [mesh, secrets] = [join(folder, 'mesh'), join(folder, 'secrets')];
  await mkdir(mesh);
  await putPair(secrets, 'server', pair('server'));
  await putPair(secrets, 'client', client);
  await putPair(secrets, 'stranger', stranger);
  const app = await startHttpApp((_request, response) => {
    response.writeHead(200, { 'x-version': 'app' }).end();
  });
  undo.push(() => app.stop());
  const names = [...servers, ...callers];
  const ports = await freePorts(names.length);
  const port = Object.fromEntries(names.map((name, at) => [name, ports[at]])) as Stage['port'];
  await writeFile(join(mesh, 'mesh.yaml'), meshYaml(port, app.port, pair('server')));
  const headgate = await startHeadgate(
    [
      ...['--repo', mesh, '--state', join(folder, 'headgate.db'), '--secrets', secrets],
      ...['--xds', '127.0.0.1:0', '--http', '127.0.0.1:0'],
    ],
    { HEADGATE_CA_CRT_AUTHORITIES: await readFile(authorities, 'utf8') },
  );
  undo.push(() => headgate.stop());
  const start = async (name: Server | Caller) => {
    const at = { address: '127.0.0.1', port: port[name] };
    const side = servers.includes(name as Server) ? { ingress: at } : { egress: at };
    const nodeId = `mesh/tls/virtualNode/${name}`;
    const protocol = stateOfTheWorld.includes(name) ? 'sotw' : 'delta';
    const options = { nodeId, protocol, xds: [headgate.xds], ...side } as const;
    const started = await startEnvoy(renderBootstrap(options));
    undo.push(() => started.stop('SIGKILL'));
    return [name, started] as const;
  };
  const envoy = Object.fromEntries(await Promise.all(names.map(start))) as Stage['envoy'];
  for (const name of names.filter((each) => each !== 'late' && each !== 'hasty')) {
    await envoy[name].waitUntilLive();
  }
  return { headgate, secrets, authorities, port, envoy, client, stranger };
}

async function proxiesOf({ url }: HeadgateProcess): Promise<readonly ProxyView[]> {
  return (await (await fetch(`${url}/api/v1/proxies`)).json()) as readonly ProxyView[];
}

async function fingerprint({ chain }: Issued): Promise<string> {
  return new X509Certificate(await readFile(chain)).fingerprint256;
}

/** As Envoy's `/certs` writes it. */
async function serialNumber({ chain }: Issued): Promise<string> {
  return new X509Certificate(await readFile(chain)).serialNumber.toLowerCase();
}

const stage = await openStage(test, undo, setUp);

test('a caller with the right name is let in, over secrets on both sides', async () => {
  const { envoy, port } = stage;
  assert.is(await callInPlain(port.web, 'vault.local'), 200);
  assert.is(await statOf(envoy.web, /^cluster\.cds_egress_tls_vault_.*\.ssl\.handshake$/), 1);
});

test('a caller with another name is refused, and the server counts why', async () => {
  const { envoy, port } = stage;
  const refusals = () => statOf(envoy.vault, /^listener\..*\.ssl\.fail_verify_san$/);
  const before = await refusals();
  assert.is(await callInPlain(port.stranger, 'vault.local'), 503);
  assert.ok((await refusals()) > before, 'fail_verify_san did not rise');
});

test('mode STRICT: neither plain text nor a caller without a certificate', async () => {
  const { envoy, port, authorities, client, stranger } = stage;
  const direct = (shown?: Issued) => callOverTls(port.vault, { authorities, client: shown });
  assert.is((await direct(client)).status, 200);
  assert.match(await failureOf(direct()), 'CERTIFICATE_REQUIRED');
  assert.match(await failureOf(direct(stranger)), /CERTIFICATE|ECONNRESET/);
  assert.is(await failureOf(callInPlain(port.vault)), 'ECONNRESET');
  assert.is(await statOf(envoy.vault, /^listener\..*\.ssl\.fail_verify_no_cert$/), 1);
});

test('mode PERMISSIVE: plain text and TLS with the certificate of a file', async () => {
  const { port, authorities } = stage;
  assert.is(await callInPlain(port.open), 200);
  const { status, shown } = await callOverTls(port.open, { authorities });
  const file = { chain: join(await certificateFolder(), 'server.pem'), key: '' };
  assert.equal({ status, shown }, { status: 200, shown: await fingerprint(file) });
});

test('mode PERMISSIVE: a caller in the mesh uses TLS', async () => {
  const { envoy, port } = stage;
  assert.is(await callInPlain(port.web, 'open.local'), 200);
  assert.is(await statOf(envoy.web, /^cluster\.cds_egress_tls_open_.*\.ssl\.handshake$/), 1);
});

test('mode DISABLED: plain text alone, though a certificate is named', async () => {
  const { port, envoy, authorities } = stage;
  assert.is(await callInPlain(port.web, 'plain.local'), 200);
  assert.is(await callInPlain(port.plain), 200);
  const failure = await failureOf(callOverTls(port.plain, { authorities }));
  assert.match(failure, /WRONG_VERSION_NUMBER|PACKET_LENGTH|ECONNRESET|EPROTO/);
  assert.not.match(await envoy.plain.admin('/stats'), /ssl\.handshake/);
});

test('a server whose certificate has another name gets no request', async () => {
  const { envoy, port } = stage;
  assert.is(await callInPlain(port.web, 'impostor.local'), 503);
  const count = await statOf(envoy.web, /^cluster\.cds_egress_tls_impostor_.*fail_verify_san$/);
  assert.ok(count > 0, 'fail_verify_san is 0');
});

test('a proxy has the secrets that it names and no others', async () => {
  const { envoy } = stage;
  const held = async (of: RunningEnvoy) => {
    const { configs } = JSON.parse(await of.admin('/config_dump?resource=dynamic_active_secrets'));
    return configs.map(({ name }: { readonly name: string }) => name).sort();
  };
  assert.equal(await held(envoy.vault), ['authorities', 'server']);
  assert.equal(await held(envoy.web), ['authorities', 'client']);
});

test('certificates replaced under load cost not one request, and new handshakes show them', async () => {
  const { port, secrets, authorities, client, envoy } = stage;
  const load = startLoad({ port: port.web, host: 'vault.local', requestsPerSecond: 100 });
  undo.push(() => load.stop());
  const handshakes: Promise<string>[] = [];
  // The load's connections live on. Besides it, a handshake every few milliseconds.
  const timer = setInterval(() => {
    const call = callOverTls(port.vault, { authorities, client });
    handshakes.push(call.then(({ shown, status }) => `${status} ${shown}`, String));
  }, 20);
  undo.push(async () => clearInterval(timer));
  const expected: string[] = [];
  for (const round of [1, 2, 3]) {
    const issued = await issueCertificate(`server-${round}`, 'server');
    const shown = await issueCertificate(`client-${round}`, 'client');
    await putPair(secrets, 'client', shown);
    await putPair(secrets, 'server', issued);
    const answer = `200 ${await fingerprint(issued)}`;
    await until(
      'new handshakes show the new certificate',
      async () => (await handshakes.at(-1)) === answer,
    );
    // Asked of the client itself: it may take two versions as one, or one of them twice.
    const serial = await serialNumber(shown);
    await until('the client holds its new certificate', async () =>
      (await envoy.web.admin('/certs')).toLowerCase().includes(serial),
    );
    expected.push(answer);
  }
  clearInterval(timer);
  await load.stop();
  const seen = await Promise.all(handshakes);
  const { sent, lost, errors } = load.counts();
  assert.equal({ lost, errors }, { lost: 0, errors: 0 }, load.lastLoss());
  assert.ok(sent > 100, `${sent} requests`);
  const [former = '', ...later] = [...new Set(seen)];
  assert.match(former, /^200 /);
  assert.equal(later, expected, 'each certificate in its turn, and no failed handshake');
  process.stdout.write(`  figures ${JSON.stringify({ sent, lost, handshakes: seen.length })}\n`);
});

test('a certificate without its key changes nothing, and the log says so', async () => {
  const { headgate, port, secrets, authorities, client } = stage;
  const shown = async () => (await callOverTls(port.vault, { authorities, client })).shown;
  const before = await shown();
  const { chain } = await issueCertificate('server-half', 'server');
  await putSecret(secrets, 'server', { 'tls.crt': chain });
  await until('the pair is refused', () =>
    /"certificates.refused".*"server".*does not belong/.test(headgate.log()),
  );
  assert.is(await shown(), before);
});

test('a listener whose secret is missing lets nobody in, and is there when it comes', async () => {
  const { headgate, port, envoy, secrets, authorities } = stage;
  await envoy.late.waitUntilLive();
  const { types } = (await proxiesOf(headgate)).find(({ node }) => node.endsWith('late')) ?? {};
  assert.equal([types?.lds?.state, types?.sds?.state], ['synced', 'notSent']);
  assert.match(headgate.log(), /"certificates.missing".*virtualNode\/late.*"late-server"/);
  assert.is(await failureOf(callOverTls(port.late, { authorities })), 'ECONNRESET');
  const refused = /^listener\..*server_ssl_socket_factory\.downstream_context_secrets_not_ready$/;
  assert.is(await statOf(envoy.late, refused), 1);
  const issued = await issueCertificate('late-server', 'server');
  await putPair(secrets, 'late-server', issued);
  await until('it shows the certificate', async () => {
    const call = callOverTls(port.late, { authorities }).catch(() => undefined);
    return (await call)?.shown === (await fingerprint(issued));
  });
});

test('a caller whose secret is missing calls all but those to whom it must show it', async () => {
  const { headgate, port, envoy, secrets } = stage;
  await envoy.hasty.waitUntilLive();
  const { types } = (await proxiesOf(headgate)).find(({ node }) => node.endsWith('hasty')) ?? {};
  assert.equal([types?.cds?.state, types?.rds?.state], ['synced', 'synced']);
  assert.match(headgate.log(), /"certificates.missing".*virtualNode\/hasty.*"late-client"/);
  assert.is(await callInPlain(port.hasty, 'plain.local'), 200);
  assert.is(await callInPlain(port.hasty, 'vault.local'), 503);
  const refused = /^cluster\.cds_egress_tls_vault_.*upstream_context_secrets_not_ready$/;
  assert.ok((await statOf(envoy.hasty, refused)) > 0);
  await putPair(secrets, 'late-client', stage.client);
  await until('the other is let in, too', async () => {
    return (await callInPlain(port.hasty, 'vault.local')) === 200;
  });
});

test('no key is in the log, the API or the state', async () => {
  const { headgate, client } = stage;
  const line = (await readFile(client.key, 'utf8')).split('\n')[1] ?? '';
  assert.ok(line.length > 40, line);
  const pages = ['/metrics', '/api/v1/status', '/api/v1/proxies', '/api/v1/problems'].map(
    async (path) => (await fetch(`${headgate.url}${path}`)).text(),
  );
  const texts = [headgate.log(), ...(await Promise.all(pages))];
  assert.equal(
    texts.filter((text) => text.includes(line)),
    [],
  );
});

test.run();
