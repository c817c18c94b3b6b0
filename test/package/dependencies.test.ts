/**
 * What the package is made of: licences that a company may use without asking its lawyers, no code that
 * runs when it is installed, and a bill of materials that has all of it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectPath } from '../support/project.js';

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

const test = suite('dependencies');

const lock = JSON.parse(readFileSync(projectPath('package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};
const all = Object.entries(lock.packages)
  .filter(([path]) => path !== '')
  .map(([path, one]) => ({ ...one, path, name: path.replace(/^.*node_modules\//, '') }));

/** Permissive: they ask for their notice to be kept, and for nothing else. */
const permissive = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

/** Of single packages, each looked at. */
const exceptions: Readonly<Record<string, string>> = {
  // Python's licence, which its port to JavaScript kept: permissive.
  argparse: 'PSF-2.0',
};

/** For the tools of developers, which are not shipped: these bind only who changes the tool itself. */
const permissiveForTools = [...permissive, 'MPL-2.0', 'CC-BY-4.0', 'Python-2.0'];

/** True where one side of each `OR` is allowed. */
function isAllowed(license: string | undefined, allowed: readonly string[]): boolean {
  const choices = (license ?? 'none').replace(/^\(|\)$/g, '').split(' OR ');
  return choices.some((choice) => allowed.includes(choice));
}

test('licences of all that is shipped or installed are permissive', () => {
  const shipped = all.filter(({ dev }) => dev !== true);
  assert.ok(shipped.length > 50, `${shipped.length} packages`);
  const others = shipped.filter(
    ({ name, license }) => !isAllowed(license, permissive) && exceptions[name] !== license,
  );
  assert.equal(
    others.map(({ name, license }) => `${name}: ${license}`),
    [],
  );
});

test('licences of the tools bind nobody who only uses them', () => {
  const others = all.filter(({ license }) => !isAllowed(license, permissiveForTools));
  const unknown = others.filter(({ name, license }) => exceptions[name] !== license);
  assert.equal(
    unknown.map(({ name, license }) => `${name}: ${license}`),
    [],
  );
});

test('each licence that the lock file names is the one in the package itself', () => {
  const installed = all.filter(({ path }) => existsSync(projectPath(`${path}/package.json`)));
  assert.ok(installed.length > 150, `${installed.length} packages`);
  const different = installed.flatMap(({ path, license }) => {
    const manifest = JSON.parse(readFileSync(projectPath(`${path}/package.json`), 'utf8')) as {
      license?: string | { type: string };
      licenses?: readonly { type: string }[];
    };
    const own =
      typeof manifest.license === 'string'
        ? manifest.license
        : (manifest.license?.type ?? manifest.licenses?.[0]?.type);
    return own === license ? [] : [`${path}: ${own}, not ${license}`];
  });
  assert.equal(different, []);
});

test('nothing that must be installed runs code of its own for it', () => {
  const running = all.filter(({ dev, hasInstallScript }) => dev !== true && hasInstallScript);
  const { allowScripts } = JSON.parse(readFileSync(projectPath('package.json'), 'utf8')) as {
    allowScripts: Readonly<Record<string, boolean>>;
  };
  assert.equal(
    running.filter(({ optional }) => !optional).map(({ name }) => [name, allowScripts[name]]),
    [['protobufjs', false]],
    'protobufjs only prints advice, and is not let',
  );
});

interface Bill {
  readonly bomFormat: string;
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly licenses?: readonly unknown[];
    readonly hashes?: readonly unknown[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

test('the bill of materials has all that is shipped, with version, licence and hash', () => {
  const bill = JSON.parse(
    execFileSync('node', [projectPath('ci/sbom.mjs')], {
      cwd: projectPath('.'),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    }),
  ) as Bill;
  assert.is(bill.bomFormat, 'CycloneDX');
  const listed = new Set(bill.components.map(({ name, version }) => `${name}@${version}`));
  const shipped = all.filter(({ dev, optional }) => dev !== true && optional !== true);
  const missing = shipped.filter(({ name, version }) => !listed.has(`${name}@${version}`));
  assert.equal(
    missing.map(({ name }) => name),
    [],
  );
  for (const { name, licenses, hashes } of bill.components) {
    assert.ok(licenses?.length, `${name} has no licence`);
    assert.ok(hashes?.length, `${name} has no hash`);
  }
  const names = new Set(bill.components.map(({ name }) => name));
  assert.not.ok(names.has('typescript'), 'a tool is no part of the package');
});

test('the bill of materials and the notices have each package that the pages are built of', () => {
  const bill = execFileSync('node', [projectPath('ci/sbom.mjs')], {
    cwd: projectPath('.'),
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  for (const page of ['dashboard', 'demo-page']) {
    const folder = projectPath(`dist/controller/${page}`);
    const notices = readFileSync(`${folder}/licences.md`, 'utf8');
    const names = [...notices.matchAll(/^## (\S+) - \S+ \(/gm)].map(([, name = '']) => name);
    assert.ok(names.includes('preact'), `${page}: ${names}`);
    for (const name of names) {
      assert.match(bill, `"name": "${name}"`);
    }
    assert.ok(readdirSync(folder).includes('index.html'));
  }
});

test.run();
