/**
 * The rules of this code base that no compiler and no linter knows, each as a function from the text of
 * a file to its offences. They read text, not syntax trees: quick, and exact enough for code that the
 * formatter has been over.
 */
import { posix } from 'node:path';
import { type Ban, bansOf, importTable, onlyImportedBy } from './import-table.js';

export interface SourceFile {
  /** From the top of the checkout, `/` as separator. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** As written, or the path from the top of the checkout where it is relative. */
  readonly target: string;
  readonly isType: boolean;
}

/** Everything that `file` imports or exports from elsewhere. */
export function importsOf(file: SourceFile): readonly Import[] {
  const statements = file.text.matchAll(
    /^(?:import|export)\s+(type\s)?([^;'"]*?)\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...statements].map(([, type, names = '', from, bare, dynamic]) => ({
    target: resolveTarget(file.path, from ?? bare ?? dynamic ?? ''),
    isType: type !== undefined || hasOnlyTypes(names),
  }));
}

function hasOnlyTypes(names: string): boolean {
  const inBraces =
    /^\{([^}]*)\}\s*$/
      .exec(names)?.[1]
      ?.split(',')
      .map((name) => name.trim()) ?? [];
  const named = inBraces.filter((name) => name !== '');
  return named.length > 0 && named.every((name) => name.startsWith('type '));
}

function resolveTarget(from: string, target: string): string {
  return target.startsWith('.')
    ? posix.join(posix.dirname(from), target).replace(/\.js$/, '.ts')
    : target;
}

/** The part of the program that a file below `controller/` belongs to. */
export function partOf(path: string): string {
  if (path === 'controller/loop/ports.ts') {
    return 'loop/ports';
  }
  return (path.split('/')[1] ?? '').replace(/\.ts$/, '');
}

/** Imports that the table does not allow. */
export function wrongImports(file: SourceFile): readonly string[] {
  const part = partOf(file.path);
  const rule = importTable[part];
  if (rule === undefined) {
    return [`${file.path}: ${part} has no line in the import table`];
  }
  return importsOf(file).flatMap(({ target, isType }) => {
    if (!target.startsWith('controller/')) {
      const importers = onlyImportedBy[target] ?? [file.path];
      const isAllowed = rule.packages?.includes(target) === true && importers.includes(file.path);
      return isAllowed || isType ? [] : [`${file.path}: may not import the package ${target}`];
    }
    const other = partOf(target);
    const isAllowed =
      other === part ||
      rule.parts?.includes(other) === true ||
      (isType && rule.types?.includes(other) === true);
    const what = rule.types?.includes(other) ? 'more than types of' : '';
    return isAllowed ? [] : [`${file.path}: may not import ${what} ${other}`.replace('  ', ' ')];
  });
}

/** Calls that the file's part may not make. Comments and texts do not count. */
export function bannedCalls(
  file: SourceFile,
  bans: readonly Ban[] = bansOf[partOf(file.path)] ?? [],
): readonly string[] {
  return withoutComments(file.text)
    .split('\n')
    .flatMap((line, index) =>
      bans.flatMap(({ pattern, replacement }) => {
        const found = pattern.exec(line.replace(/'(?:[^'\\]|\\.)*'/g, "''"))?.[0];
        return found === undefined
          ? []
          : [`${file.path}:${index + 1}: ${found} is banned here; use ${replacement}`];
      }),
    );
}

/** The text with every comment blanked and every line where it was. */
function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** Value imports that lead back to their own file, each ring once. */
export function importRings(files: readonly SourceFile[]): readonly string[] {
  const importsByPath = new Map(
    files.map((file) => [
      file.path,
      importsOf(file).flatMap(({ target, isType }) => (isType ? [] : [target])),
    ]),
  );
  const done = new Set<string>();
  const rings: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      rings.push(`import ring: ${[...trail.slice(start), path].join(' → ')}`);
      return;
    }
    if (!done.has(path)) {
      for (const target of importsByPath.get(path) ?? []) {
        visit(target, [...trail, path]);
      }
      done.add(path);
    }
  };
  for (const { path } of files) {
    visit(path, []);
  }
  return rings;
}

/** uvu runs a suite only where `.run()` is called on it, and says nothing where it is not. */
export function suitesNotRun(file: SourceFile): readonly string[] {
  const made = [...file.text.matchAll(/^\s*const (\w+) = suite[<(]/gm)].map(
    ([, name = '']) => name,
  );
  if (/^import \{[^}]*\btest\b[^}]*\} from 'uvu'/m.test(file.text)) {
    made.push('test');
  }
  const isTest = file.path.endsWith('.test.ts');
  if (isTest && made.length === 0 && !/^\w+Suite\(/m.test(file.text)) {
    return [`${file.path}: makes no suite`];
  }
  return made
    .filter((name) => !new RegExp(`^\\s*${name}\\.run\\(\\);`, 'm').test(file.text))
    .map((name) => `${file.path}: ${name}.run() is never called, so its tests never run`);
}

/** Every file says first what it is for. */
export function missingHeader(file: SourceFile): readonly string[] {
  return /^(?:#!.*\n)?\/\*\*/.test(file.text)
    ? []
    : [`${file.path}: does not begin with a comment that says what it is for`];
}

/** What is left to do is an issue, and not a note in the code. */
export function leftovers(file: SourceFile): readonly string[] {
  return file.text
    .split('\n')
    .flatMap((line, index) =>
      /\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b/.test(line)
        ? [`${file.path}:${index + 1}: file an issue instead of a note: ${line.trim()}`]
        : [],
    );
}

/** Codes that are declared more than once, in whichever files. */
export function repeatedProblemCodes(files: readonly SourceFile[]): readonly string[] {
  const places = new Map<string, string>();
  return files.flatMap((file) =>
    [...file.text.matchAll(/^ {2}(HG\d{4}):/gm)].flatMap(([, code = '']) => {
      const other = places.get(code);
      places.set(code, file.path);
      return other === undefined ? [] : [`${file.path}: ${code} is declared in ${other} too`];
    }),
  );
}

/** Folders of golden cases that no test names. `folders` are names below `test/golden/`. */
export function orphanGoldens(
  folders: readonly string[],
  tests: readonly SourceFile[],
): readonly string[] {
  return folders
    .filter(
      (folder) => !tests.some((file) => new RegExp(`['"\`/]${folder}['"\`/]`).test(file.text)),
    )
    .map((folder) => `test/golden/${folder}: no test reads these cases`);
}
