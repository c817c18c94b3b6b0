/**
 * From one YAML document to one resource of the model: its kind is looked up, its schema checked,
 * and what passed is put into the model's terms. What did not pass is handed on by name alone, so
 * that references to it are not reported as well.
 */
import { nearestName } from '../base/nearest-name.js';
import type { Problem } from '../base/problem.js';
import type { DeclaredResource, MeshDocument } from '../mesh/document.js';
import { severityOf } from '../mesh/problems.js';
import { declare } from './declare.js';
import type { Finding } from './finding.js';
import type { LineIndex } from './line-index.js';
import { type DecodeProblemCode, decodeProblem } from './problems.js';
import { quoteName, quotePath, quoteValue } from './quote.js';
import { describeError, relevantErrors } from './schema-problems.js';
import { isKnownKind, type KnownKind, knownKinds, validateDocument } from './validate.js';
import { fieldOf, keyOffset, plainValue, valueOffset, type YamlNode } from './yaml-tree.js';

export const apiVersion = 'headgate/v1';

/** Problems of one document that are worked out; the rest are only counted. */
export const documentProblemsMax = 100;

export interface DecodedDocument {
  /** Undefined where not even its kind and name are known. */
  readonly document?: MeshDocument;
  readonly problems: readonly Problem[];
  /** Further problems. */
  readonly omitted: number;
}

/** A document of `file`; `positionOf` is that of the file's text. */
export interface DocumentSource {
  readonly file: string;
  readonly root: YamlNode;
  readonly positionOf: LineIndex;
  /** That of the document that is made; it must not hold on to `root`, which is much larger. */
  readonly locate: MeshDocument['locate'];
}

export function decodeDocument(source: DocumentSource): DecodedDocument {
  const { root } = source;
  const head = findHeadProblem(source);
  if (head !== undefined) {
    return { document: nameDocument(source), problems: [head], omitted: 0 };
  }
  const kind = plainField(root, 'kind') as KnownKind;
  const value = plainValue(root);
  const errors = relevantErrors(validateDocument(kind, value));
  if (errors.length === 0) {
    const { resource, findings } = declare(kind, value);
    const problems = findings.map((finding) => findingProblem(source, finding));
    return { document: nameDocument(source, resource), problems, omitted: 0 };
  }
  const shown = errors.slice(0, documentProblemsMax).map((error) => {
    const { code, path, place, text, details } = describeError(kind, value, error);
    const offset = place === 'key' ? keyOffset(root, path) : valueOffset(root, path);
    return problemAt(source, code, offset, text, { path: quotePath(path), ...details });
  });
  return {
    document: nameDocument(source),
    problems: shown,
    omitted: errors.length - shown.length,
  };
}

function findingProblem(source: DocumentSource, finding: Finding): Problem {
  const { code, path, place = 'value', text, details } = finding;
  const offset = place === 'key' ? keyOffset(source.root, path) : valueOffset(source.root, path);
  return {
    code,
    severity: severityOf(code),
    message: `${subjectOf(source.root)}: ${text}`,
    file: source.file,
    ...source.positionOf(offset),
    resource: subjectOf(source.root),
    path: quotePath(path),
    ...details,
  };
}

/** What keeps the schema from even being chosen. */
function findHeadProblem(source: DocumentSource): Problem | undefined {
  const { root } = source;
  if (root.kind !== 'mapping') {
    const found = quoteValue(plainValue(root));
    const text = `a resource has apiVersion, kind, metadata and spec, and this is ${found}`;
    return problemAt(source, 'HG0303', root.start, text, { found, allowed: 'a mapping' });
  }
  const version = plainField(root, 'apiVersion');
  if (version !== apiVersion) {
    const found = quoteValue(version);
    const text = `apiVersion is ${found}, expected ${apiVersion}${versionAdvice(version)}`;
    const details = { path: 'apiVersion', found, allowed: apiVersion, suggestion: apiVersion };
    return problemAt(source, 'HG0301', valueOffset(root, ['apiVersion']), text, details);
  }
  const kind = plainField(root, 'kind');
  if (!isKnownKind(kind)) {
    const found = quoteValue(kind);
    const allowed = knownKinds.join(', ');
    const suggestion = typeof kind === 'string' ? nearestName(kind, knownKinds) : undefined;
    const hint = suggestion === undefined ? kindAdvice(kind) : `; did you mean ${suggestion}?`;
    const text = `kind is ${found}, expected one of ${allowed}${hint}`;
    const details = { path: 'kind', found, allowed, suggestion };
    return problemAt(source, 'HG0302', valueOffset(root, ['kind']), text, details);
  }
  return undefined;
}

/** For kinds of App Mesh that are part of others here. */
function kindAdvice(kind: unknown): string {
  switch (kind) {
    case 'Route':
      return '; a route stands in spec.routes of its VirtualRouter';
    case 'BackendGroup':
      return '; list the services of a backend group in spec.backends of each VirtualNode';
    default:
      return '';
  }
}

function versionAdvice(version: unknown): string {
  if (typeof version !== 'string') {
    return '';
  }
  if (version.startsWith('appmesh.k8s.aws/')) {
    return '; `headgate import app-mesh` turns App Mesh definitions into these';
  }
  return /^headgate\//.test(version) ? '' : '; keep other files out of the configured path';
}

function problemAt(
  source: DocumentSource,
  code: DecodeProblemCode,
  offset: number,
  text: string,
  details: Partial<Problem>,
): Problem {
  const resource = subjectOf(source.root);
  const message = resource === undefined ? text : `${resource}: ${text}`;
  const place = { file: source.file, ...source.positionOf(offset) };
  return decodeProblem(code, place, message, { ...details, resource });
}

/** `VirtualNode reviews-v1`, as far as it is known; undefined for what has no kind. */
function subjectOf(root: YamlNode): string | undefined {
  const kind = plainField(root, 'kind');
  if (!isKnownKind(kind)) {
    return undefined;
  }
  const name = nameOf(root);
  return name === undefined ? kind : `${kind} ${quoteName(name)}`;
}

/** The resource's name, where it has the form of one. */
function nameOf(root: YamlNode): string | undefined {
  const name = plainField(fieldOf(root, 'metadata'), 'name');
  return typeof name === 'string' && /^[A-Za-z0-9_.-]{1,255}$/.test(name) ? name : undefined;
}

function plainField(node: YamlNode | undefined, key: string): unknown {
  const field = fieldOf(node, key);
  return field === undefined ? undefined : plainValue(field);
}

function nameDocument(
  source: DocumentSource,
  resource?: DeclaredResource,
): MeshDocument | undefined {
  const { file, root, positionOf, locate } = source;
  const kind = plainField(root, 'kind');
  const name = nameOf(root);
  if (!isKnownKind(kind) || name === undefined) {
    return undefined;
  }
  const mesh = kind === 'Mesh' ? name : plainField(fieldOf(root, 'metadata'), 'mesh');
  return {
    kind,
    name,
    mesh: typeof mesh === 'string' ? mesh : undefined,
    origin: { file, ...positionOf(root.start) },
    resource,
    locate,
  };
}
