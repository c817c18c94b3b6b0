/**
 * What the README and the how-to pages show, looked at: commands and their options exist, YAML fits its
 * schema or is a configuration without a mistake, JSON is JSON, and files that are named are there. Tutorials
 * are carried out instead (`tutorials.test.ts`), and pages of the reference are made from the code.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse, parseAllDocuments } from 'yaml';
import { createIo } from '../../controller/cli/io.js';
import { buildProgram } from '../../controller/cli/program.js';
import { parseConfigFile } from '../../controller/config/file.js';
import { settingNames } from '../../controller/config/table.js';
import { isKnownKind, validateDocument } from '../../controller/decode/validate.js';
import { projectPath } from '../support/project.js';
import { mistakeIn, shownCommands } from './shown-command.js';

const blocks = suite('what the pages show');

interface Shown {
  /** `docs/git.md:12`. */
  readonly place: string;
  /** Empty for a plain block, `inline` for what stands between backticks. */
  readonly language: string;
  readonly text: string;
}

const others = ['docs/tutorials/', 'docs/reference/'];
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'mesh-repo-example/README.md',
  ...readdirSync(projectPath('docs'), { recursive: true, encoding: 'utf8' }).map((name) =>
    join('docs', name),
  ),
].filter((name) => name.endsWith('.md') && !others.some((folder) => name.startsWith(folder)));

const shown = pages.flatMap((page): readonly Shown[] => {
  const text = readFileSync(projectPath(page), 'utf8');
  const placeOf = (index: number) => `${page}:${text.slice(0, index).split('\n').length}`;
  const fences = [...text.matchAll(/^```(\S*).*\n([\s\S]*?)^```$/gm)];
  const prose = text.replace(/^```[\s\S]*?^```$/gm, (block) => block.replace(/[^\n]/g, ' '));
  return [
    ...fences.map(({ index, 1: language = '', 2: body = '' }) => ({
      ...{ place: placeOf(index), language, text: body },
    })),
    ...[...prose.matchAll(/`([^`\n]+)`/g)].map(({ index, 1: body = '' }) => ({
      ...{ place: placeOf(index), language: 'inline', text: body },
    })),
  ];
});

/** Those in one of `languages`, each with what `look` says is wrong; nothing: all is well. */
function mistakes(
  languages: readonly string[],
  look: (shown: Shown) => readonly (string | undefined)[],
): readonly string[] {
  return shown
    .filter(({ language }) => languages.includes(language))
    .flatMap((one) =>
      look(one).flatMap((wrong) => (wrong === undefined ? [] : [`${one.place}: ${wrong}`])),
    );
}

const shellLike = ['', 'sh', 'console', 'inline'];
const silent = { write: () => {} };

blocks('each command exists, with its options and their choices', () => {
  const program = buildProgram(createIo({}, { stdout: silent, stderr: silent }));
  const seen = new Set<string>();
  const found = mistakes(shellLike, ({ text }) =>
    shownCommands(text).map((args) => {
      seen.add(args.split(' ', 1)[0] ?? '');
      return mistakeIn(args, program);
    }),
  );
  assert.equal(found, []);
  assert.ok(seen.size > 20, [...seen].join());
});

blocks('each npm script exists', () => {
  const { scripts } = JSON.parse(readFileSync(projectPath('package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  assert.equal(
    mistakes(shellLike, ({ text }) =>
      [...text.matchAll(/npm run (?:-s |--silent )?([\w:-]+)/g)].map(([, name = '']) =>
        Object.hasOwn(scripts, name) ? undefined : `npm run ${name}`,
      ),
    ),
    [],
  );
});

/** Files of this repository; what is compiled is looked for where it is written. */
const ours =
  /(?<![\w./-])(?:docs|deploy|test|ci|schemas|mesh-repo-example|controller|dist|\.ci|\.github)\/[\w./-]+[\w]/g;

blocks('each file of this repository that is named is there', () => {
  assert.equal(
    mistakes(shellLike, ({ text, place }) =>
      (text.match(ours) ?? []).map((name) => {
        const source = name.replace(/^dist\//, '').replace(/\.js$/, '.ts');
        // The example repository's page speaks of its own files.
        const beside = join(dirname(place), name);
        const isThere = [name, source, beside].some((path) => existsSync(projectPath(path)));
        return isThere ? undefined : name;
      }),
    ),
    [],
  );
});

const configKeys: readonly string[] = [
  ...settingNames,
  ...['notifications', 'hooks', 'providers', 'repositories'],
];

blocks('YAML fits its schema, or is a configuration without a mistake', () => {
  const kinds = new Map<string, number>();
  const count = (kind: string) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const found = mistakes(['yaml'], ({ text }) =>
    parseAllDocuments(text).flatMap((document): readonly (string | undefined)[] => {
      const value = document.toJS() as unknown;
      const keys = Object.keys(value as object);
      if (document.errors.length > 0) {
        return document.errors.map(({ message }) => message);
      }
      if (keys.includes('kind') && keys.includes('apiVersion')) {
        count('resource');
        return problemsOfResource(value as { readonly kind: string });
      }
      if (Array.isArray(value) || keys.join() === 'gates') {
        count('gates');
        const gates = Array.isArray(value) ? value : (value as { readonly gates: unknown }).gates;
        return problemsOfResource({ ...policy, spec: { gates } });
      }
      if (keys.every((key) => configKeys.includes(key))) {
        count('configuration');
        return parseConfigFile('headgate.yaml', text).problems.map(({ message }) => message);
      }
      // A workflow of GitHub's, and the file of pre-commit.
      count('other');
      return keys.includes('on') || keys.join() === 'repos' ? [] : [`unknown keys ${keys}`];
    }),
  );
  assert.equal(found, []);
  assert.ok((kinds.get('resource') ?? 0) > 5 && (kinds.get('configuration') ?? 0) > 5);
  assert.is(kinds.get('other'), 2);
});

const policy = { apiVersion: 'headgate/v1', kind: 'RolloutPolicy', metadata: { name: 'p' } };

function problemsOfResource(value: {
  readonly kind: string;
  readonly spec?: unknown;
}): readonly string[] {
  const { kind } = value;
  return isKnownKind(kind)
    ? validateDocument(kind, value).map(({ instancePath, message }) => `${instancePath} ${message}`)
    : [`${kind} is no kind`];
}

blocks('JSON is JSON', () => {
  assert.equal(
    mistakes(['json'], ({ text }) => {
      try {
        parse(text, { strict: true });
        JSON.parse(text);
        return [];
      } catch (error) {
        return [String(error)];
      }
    }),
    [],
  );
});

blocks('no block is in a language that nobody looks at', () => {
  const known = [...shellLike, 'yaml', 'json', 'promql', 'hcl'];
  assert.equal(
    shown.flatMap(({ place, language }) =>
      known.includes(language) ? [] : [`${place} ${language}`],
    ),
    [],
  );
});

blocks('a mistake of each sort is found', () => {
  const program = buildProgram(createIo({}, { stdout: silent, stderr: silent }));
  for (const [args, wrong] of [
    ['stauts', 'headgate has no command stauts'],
    ['status --wach', 'status has no --wach'],
    ['status -o tabel', '--output takes none of tabel'],
    ['notify send', 'notify has no command send'],
    ['validate . --format github', undefined],
  ] as const) {
    assert.is(mistakeIn(args, program), wrong);
  }
  assert.equal(shownCommands('$ a/headgate x\nheadgate plan \\\n  --repo . > f # c'), [
    'plan --repo . ',
  ]);
});

blocks.run();
