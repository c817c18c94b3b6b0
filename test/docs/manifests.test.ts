/**
 * The manifests of the installation guides, each read by what knows its form: Kubernetes' schemas, the
 * model of AWS's own clients, systemd, HashiCorp's parser. And all of them by Headgate itself: every
 * setting that they give is one that it has, and together they are no mistake.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { load, loadAll } from 'js-yaml';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfigFile } from '../../controller/config/file.js';
import { resolveSettings } from '../../controller/config.js';
import { projectPath } from '../support/project.js';

const run = promisify(execFile);
const manifests = suite('manifests');

const { parseToObject } = createRequire(import.meta.url)('hcl2-parser') as {
  parseToObject(text: string): readonly [Json, unknown];
};

// biome-ignore lint/suspicious/noExplicitAny: what others' files hold is looked at, and asserted on.
type Json = any;

function read(path: string): string {
  return readFileSync(projectPath(`docs/install/${path}`), 'utf8');
}

/** Fails with each mistake that Headgate finds in a config file and variables. */
function assertSettings(text: string | undefined, env: Readonly<Record<string, string>>): void {
  const { settings, problems } = resolveSettings({
    ...{ flags: {}, env },
    file: text === undefined ? undefined : parseConfigFile('headgate.yaml', text),
  });
  assert.equal(problems, []);
  assert.ok(settings);
}

function valuesOf(pairs: readonly { name: string; value: string }[]): Record<string, string> {
  return Object.fromEntries(pairs.map(({ name, value }) => [name, value]));
}

manifests('kubernetes and ECS: valid by their own schemas', async () => {
  const checkers = process.env.HEADGATE_CHECKERS ?? '';
  const { stdout } = await run(
    'python3',
    [
      projectPath('test/docs/manifests.py'),
      projectPath('docs/install/kubernetes/headgate.yaml'),
      projectPath('docs/install/ecs/task-definition.json'),
    ],
    { env: { ...process.env, PYTHONPATH: checkers } },
  );
  assert.is(stdout, '5 Kubernetes documents and 2 containers\n');
});

manifests('kubernetes: its configuration, and a container without rights', () => {
  const documents = loadAll(read('kubernetes/headgate.yaml')) as Json[];
  const byKind = (kind: string) => documents.find((one) => one.kind === kind);
  assertSettings(byKind('ConfigMap').data['headgate.yaml'], {
    HEADGATE_STATE: '/data/headgate.db',
  });
  const pod = byKind('StatefulSet').spec.template.spec;
  const [container] = pod.containers;
  assert.equal(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  assert.is(pod.securityContext.runAsNonRoot, true);
  const volumes = [...pod.volumes, ...byKind('StatefulSet').spec.volumeClaimTemplates];
  const names = volumes.map((one: Json) => one.name ?? one.metadata.name).sort();
  assert.equal(container.volumeMounts.map((one: Json) => one.name).sort(), names);
});

manifests('ECS: its variables, and a container without rights', () => {
  const { containerDefinitions } = JSON.parse(read('ecs/task-definition.json')) as Json;
  const [secrets, headgate] = containerDefinitions;
  const values = valuesOf(headgate.environment);
  assertSettings(undefined, values);
  assert.is(headgate.readonlyRootFilesystem, true);
  assert.equal(headgate.linuxParameters.capabilities.drop, ['ALL']);
  const files = Object.values(values).filter((value) => value.startsWith('/secrets/'));
  assert.ok(files.length >= 6, files.join());
  for (const file of files) {
    assert.match(secrets.command[2], ` > ${file.replace('/secrets/', '')}`);
  }
});

manifests('nomad: HashiCorp reads it, and its configuration', () => {
  const [job, error] = parseToObject(read('nomad/headgate.nomad.hcl'));
  assert.not.ok(error, String(error));
  const [task] = job.job.headgate[0].group.controller[0].task.headgate;
  const templates = task.template as readonly Json[];
  const config = templates.find((one) => one.destination === 'local/headgate.yaml');
  assertSettings(config.data, { HEADGATE_STATE: '/data/headgate.db' });
  const written = templates.map((one) => `/${one.destination}`);
  for (const [, file = ''] of String(config.data).matchAll(/: (\/secrets\/\S+)/g)) {
    assert.ok(written.includes(file), `${file} is written by no template`);
  }
  assert.is(task.config[0].readonly_rootfs, true);
  assert.equal(task.config[0].cap_drop, ['all']);
});

manifests('compose: its configuration, its secrets, and a container without rights', () => {
  const { services, secrets, volumes } = load(read('compose/compose.yaml')) as Json;
  const { headgate } = services;
  const text = read('compose/headgate.yaml');
  assertSettings(text, { HEADGATE_STATE: '/data/headgate.db' });
  assert.equal([...headgate.secrets].sort(), Object.keys(secrets).sort());
  for (const [, name = ''] of text.matchAll(/\/run\/secrets\/(\S+)/g)) {
    assert.ok(headgate.secrets.includes(name), `${name} is no secret of it`);
  }
  assert.ok('headgate' in volumes && headgate.volumes.includes('headgate:/data'));
  assert.is(headgate.read_only, true);
  assert.equal(headgate.cap_drop, ['ALL']);
});

manifests(
  'systemd: it finds nothing wrong with the units, and Headgate nothing with theirs',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-units-'));
    try {
      const units = ['headgate.service', 'envoy@.service'].map((name) => {
        // Whether the programs are installed here is not what is asked.
        const text = read(`systemd/${name}`).replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true');
        const path = join(folder, name);
        writeFileSync(path, text);
        return path;
      });
      const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', ...units]);
      assert.is(stdout + stderr, '');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    const unit = read('systemd/headgate.service');
    const pairs = [...unit.matchAll(/HEADGATE_(\w+)=(\S+)/g)].map(([, name, value = '']) => ({
      name: `HEADGATE_${name}`,
      value,
    }));
    const guide = read('README.md');
    const [, text = ''] = /holds what is no secret:\n\n```yaml\n([\s\S]*?)```/.exec(guide) ?? [];
    assertSettings(text, valuesOf(pairs));
    const credentials = [...unit.matchAll(/^LoadCredential=([^:]+):/gm)].map(([, name]) => name);
    const used = pairs.flatMap(({ value }) => (value.startsWith('%d/') ? [value.slice(3)] : []));
    assert.equal(used.sort(), credentials.sort());
  },
);

manifests.run();
