/**
 * App Mesh definitions → a mesh repository and a report of every field. Pure: the files' bytes in, the
 * texts to write out; the same input gives the same bytes. The result is read again by the decoder that
 * the controller uses, so that what is said to be valid is.
 */
import { hasErrors, type Problem } from '../base/problem.js';
import type { SourceFile } from '../base/revision.js';
import { loadMeshes } from '../decode/load-meshes.js';
import { schemas } from '../generated/schemas.js';
import type { Listed } from './api-json.js';
import { assemble } from './assemble.js';
import { commentsOf } from './comments.js';
import { type Definition, subjectOf } from './definition.js';
import { layOut } from './layout.js';
import { createNames } from './names.js';
import { surroundings } from './placement.js';
import { type Reading, readDefinitions } from './read-definitions.js';
import { readSource } from './read-source.js';
import { renderResource } from './render-resource.js';
import { byResource, Report, type ReportEntry } from './report.js';
import type { Resource } from './resource.js';
import { type Fault, FaultError, type Place, type SourceDocument } from './source.js';
import { withStandIns } from './stand-ins.js';
import { createValues, type Missing } from './values.js';

export interface ImportOptions {
  /** By name, as `--parameter` gives them. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The mesh of what names none. */
  readonly mesh?: string;
  /**
   * Files that lay in a folder and were not named: where one of them cannot be read and does not speak of
   * App Mesh, it is none of the import's business. Undefined: every file was named.
   */
  readonly found?: ReadonlySet<string>;
}

export interface ImportedFile {
  /** Below the folder of the result, `/` as separator. */
  readonly path: string;
  readonly text: string;
}

/** A problem of the result, with the place in the input that it most likely comes from. */
export interface ImportProblem {
  readonly problem: Problem;
  readonly source?: Place;
}

export interface Import {
  readonly meshes: readonly string[];
  /** How many resources were written. */
  readonly resources: number;
  readonly files: readonly ImportedFile[];
  readonly entries: readonly ReportEntry[];
  /** Values of templates that nobody gave. */
  readonly missing: readonly Missing[];
  /** Parameters that nothing asked for. */
  readonly unused: readonly string[];
  readonly problems: readonly ImportProblem[];
}

export type ImportResult =
  | { readonly kind: 'imported'; readonly import: Import }
  | { readonly kind: 'unreadable'; readonly faults: readonly Fault[] };

const schemaFolder = '.schemas';

/** Where anything cannot be read the result is that alone: half a mesh must not look like a whole one. */
export function importAppMesh(files: readonly SourceFile[], options: ImportOptions): ImportResult {
  const read = files.map(readFile);
  const faults = read.flatMap((result) =>
    result.kind === 'fault' && !isForeign(result.file, options) ? [result.fault] : [],
  );
  if (faults.length > 0) {
    return { kind: 'unreadable', faults };
  }
  const documents = read.flatMap((result) => (result.kind === 'documents' ? result.documents : []));
  try {
    const foreign = read.flatMap((result) => (result.kind === 'fault' ? [result.fault] : []));
    return { kind: 'imported', import: importDocuments(documents, foreign, options) };
  } catch (error) {
    if (error instanceof FaultError) {
      return { kind: 'unreadable', faults: [error.fault] };
    }
    throw error;
  }
}

function readFile(file: SourceFile) {
  try {
    return { kind: 'documents', documents: readSource(file) } as const;
  } catch (error) {
    if (error instanceof FaultError) {
      return { kind: 'fault', file, fault: withAdvice(error.fault, file) } as const;
    }
    throw error;
  }
}

/** What every form of a definition has in it somewhere. */
const wordsOfAppMesh = /app-?mesh|virtual-?(?:node|service|router|gateway)|gateway-?route/i;

function isForeign({ path, bytes }: SourceFile, { found }: ImportOptions): boolean {
  return found?.has(path) === true && !wordsOfAppMesh.test(Buffer.from(bytes).toString('latin1'));
}

function withAdvice(fault: Fault, { bytes }: SourceFile): Fault {
  const isChart = /\{\{-?\s*[.$]|\{\{-?\s*(?:include|if|range|with)\b/.test(
    Buffer.from(bytes).toString('latin1'),
  );
  const advice = '; this looks like a template of Helm: import what `helm template` prints';
  return isChart ? { ...fault, message: `${fault.message}${advice}` } : fault;
}

function importDocuments(
  documents: readonly SourceDocument[],
  foreign: readonly Fault[],
  options: ImportOptions,
): Import {
  const report = new Report();
  for (const { place, message } of foreign) {
    const reason = `not read, and nothing in it speaks of App Mesh: ${message}`;
    report.add({ outcome: 'skipped', resource: '', place, reason });
  }
  const values = createValues(options.parameters);
  const reading: Reading = { report, values, definitions: [], namespaces: new Map(), listed: [] };
  for (const document of documents) {
    readDefinitions(document, reading);
  }
  const { definitions, namespaces } = reading;
  reportListed(reading.listed, definitions, report);
  const around = surroundings(definitions, namespaces, options.mesh);
  const assembled = assemble(around, createNames(definitions), report);
  const resources = withStandIns(assembled, definitions, report);
  const files = render(resources);
  reportLostComments(definitions, files, report);
  const { meshes, problems } = check(files, resources, report.entries);
  return {
    meshes,
    resources: resources.length,
    files: resources.length === 0 ? [] : [...files, ...schemaFiles()],
    entries: inOrder(report.entries, documents),
    missing: [...values.missing.values()],
    unused: [...options.parameters.keys()].filter((name) => !values.used.has(name)),
    problems,
  };
}

/** As a reader of the input meets them. */
function inOrder(
  entries: readonly ReportEntry[],
  documents: readonly SourceDocument[],
): readonly ReportEntry[] {
  const files = new Map(documents.map(({ file }, index) => [file, index] as const));
  const fileOf = ({ place }: ReportEntry) => files.get(place.file) ?? 0;
  return entries.toSorted(
    (left, right) =>
      fileOf(left) - fileOf(right) ||
      left.place.line - right.place.line ||
      left.place.column - right.place.column,
  );
}

/** A list names what is defined elsewhere, or nothing more is known of it. */
function reportListed(
  listed: readonly Listed[],
  definitions: readonly Definition[],
  report: Report,
): void {
  for (const { kind, name, node, path, command } of listed) {
    const found = definitions.find((one) => one.kind === kind && one.name === name);
    const isKnown = found !== undefined;
    report.addLeaves(node, path, {
      outcome: 'dropped',
      resource: `${kind} ${name}`,
      reason: isKnown
        ? `a list has names alone; the definition is at ${found.place.file}:${found.place.line}`
        : `a list has names alone; fetch the definition with ${command}`,
      isLoss: !isKnown,
    });
  }
}

function render(resources: readonly Resource[]): readonly ImportedFile[] {
  const hasSeveralMeshes = new Set(resources.map((one) => one.mesh)).size > 1;
  const paths = layOut(resources);
  return resources.map((resource, index) => {
    const path = paths[index] as string;
    const up = '../'.repeat(path.split('/').length - 1);
    const toSchemas = `${up}${schemaFolder}/`;
    return { path, text: renderResource(resource, { toSchemas, hasSeveralMeshes }) };
  });
}

function schemaFiles(): readonly ImportedFile[] {
  return Object.entries(schemas).map(([name, schema]) => ({
    path: `${schemaFolder}/${name}`,
    text: `${JSON.stringify(schema, undefined, 2)}\n`,
  }));
}

function reportLostComments(
  definitions: readonly Definition[],
  files: readonly ImportedFile[],
  report: Report,
): void {
  const written = new Set(files.flatMap(({ text }) => commentsIn(text)));
  for (const definition of definitions) {
    for (const { text, place, path } of commentsOf(definition.whole, definition.wholePath)) {
      for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
        if (!written.has(line.trimEnd())) {
          const reason = `a comment whose place is not in the result: #${line}`;
          report.add({
            outcome: 'dropped',
            resource: subjectOf(definition),
            place,
            from: path,
            reason,
          });
        }
      }
    }
  }
}

/** What follows each `#` of a line: the comments, and more. */
function commentsIn(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const parts = line.split('#');
    return parts.slice(1).map((_, index) =>
      parts
        .slice(index + 1)
        .join('#')
        .trimEnd(),
    );
  });
}

function check(
  files: readonly ImportedFile[],
  resources: readonly Resource[],
  entries: readonly ReportEntry[],
): Pick<Import, 'meshes' | 'problems'> {
  if (files.length === 0) {
    return { meshes: [], problems: [] };
  }
  const { problems } = loadMeshes({
    files: files.map(({ path, text }) => ({ path, bytes: new TextEncoder().encode(text) })),
    problems: [],
  });
  const meshes = [...new Set(resources.map((one) => one.mesh))];
  const written = byResource(entries.filter((entry) => entry.to !== ''));
  return {
    meshes,
    problems: problems.map((problem) => ({ problem, source: sourceOf(problem, written) })),
  };
}

/** The place of the entry whose field in the result is nearest to the problem's. */
function sourceOf(
  problem: Problem,
  written: ReadonlyMap<string, readonly ReportEntry[]>,
): Place | undefined {
  const own = written.get(problem.resource ?? '') ?? [];
  const path = problem.path ?? '';
  let nearest: ReportEntry | undefined;
  let most = -1;
  for (const entry of own) {
    const shared = sharedLength(entry.to, path);
    if (shared > most) {
      most = shared;
      nearest = entry;
    }
  }
  return nearest?.place;
}

function sharedLength(left: string, right: string): number {
  let length = 0;
  while (length < left.length && left[length] === right[length]) {
    length += 1;
  }
  return length;
}

/** Whether anything was lost or has to be looked at. */
export function hasLosses({ entries, missing, problems }: Import): boolean {
  return (
    missing.length > 0 ||
    entries.some((entry) => entry.isLoss) ||
    hasErrors(problems.map(({ problem }) => problem))
  );
}
