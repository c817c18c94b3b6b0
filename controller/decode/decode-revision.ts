/**
 * From a revision's files to its documents: text, YAML, schema, model, one file after the other and
 * none depending on another. A file that was decoded before is not decoded again. Every problem of every
 * file is collected; nothing is thrown, whatever the bytes.
 */

import { present } from '../base/assert.js';
import { memo } from '../base/memo.js';
import type { Problem } from '../base/problem.js';
import type { Revision, SourceFile } from '../base/revision.js';
import type { Declarations, FieldPath, MeshDocument } from '../mesh/document.js';
import type { Origin } from '../mesh/origins.js';
import { decodeDocument, documentProblemsMax } from './decode-document.js';
import { lineIndex } from './line-index.js';
import { parseYaml } from './parse-yaml.js';
import { type DecodeProblemCode, decodeProblem } from './problems.js';
import { readText } from './text.js';
import type { YamlFault } from './yaml-fault.js';
import { valueOffset } from './yaml-tree.js';

export interface Decoded extends Declarations {
  readonly problems: readonly Problem[];
  /** Problems beyond those in `problems`. */
  readonly omitted: number;
}

interface Collected {
  readonly documents: MeshDocument[];
  readonly unreadNames: Set<string>;
  readonly problems: Problem[];
  omitted: number;
  isComplete: boolean;
}

export function decodeRevision(revision: Pick<Revision, 'files'>): Decoded {
  const files = revision.files.map(decodeFile);
  return {
    documents: files.flatMap(({ documents }) => documents),
    unreadNames: new Set(files.flatMap(({ unreadNames }) => [...unreadNames])),
    problems: files.flatMap(({ problems }) => problems),
    omitted: files.reduce((sum, { omitted }) => sum + omitted, 0),
    isComplete: files.every(({ isComplete }) => isComplete),
  };
}

/** Kept for as long as the file is: nothing but its path and its bytes goes into it. */
const decodeFile = memo((file: SourceFile): Decoded => {
  const collected: Collected = {
    documents: [],
    unreadNames: new Set(),
    problems: [],
    omitted: 0,
    isComplete: true,
  };
  collect(file, collected);
  return collected;
});

function collect(file: SourceFile, collected: Collected): void {
  const content = readText(file);
  if (content.kind === 'unreadable') {
    const { code, message, line, column } = content.fault;
    collected.problems.push(decodeProblem(code, { file: file.path, line, column }, message));
    collected.isComplete = false;
    return;
  }
  const { text } = content;
  const { positionOf, parsed } = parse(text);
  const addFaults = (faults: readonly YamlFault[]): void => {
    collected.isComplete = false;
    for (const { code, offset, message } of faults.slice(0, documentProblemsMax)) {
      const place = { file: file.path, ...positionOf(offset) };
      collected.problems.push(decodeProblem(code as DecodeProblemCode, place, message));
    }
    collected.omitted += Math.max(0, faults.length - documentProblemsMax);
    for (const name of namesIn(text)) {
      collected.unreadNames.add(name);
    }
  };
  if ('code' in parsed) {
    addFaults([parsed]);
    return;
  }
  for (const [index, { root, faults }] of parsed.entries()) {
    if (faults.length > 0) {
      addFaults(faults);
    } else if (root.kind !== 'scalar' || root.value !== null) {
      const locate = locateIn(file, index);
      const source = { file: file.path, root, positionOf, locate };
      const { document, problems, omitted } = decodeDocument(source);
      collected.documents.push(...(document === undefined ? [] : [document]));
      collected.problems.push(...problems);
      collected.omitted += omitted;
    }
  }
}

function parse(text: string) {
  const positionOf = lineIndex(text);
  return { positionOf, parsed: parseYaml(text, positionOf) };
}

/**
 * Where fields of a file's document stand. Only problems ask, and trees with their positions take ten times
 * the memory of what is made of them: so they are not kept, and the file is parsed again. What was asked once
 * is asked with each commit, for as long as the file is there.
 */
function locateIn(file: SourceFile, index: number): (path: FieldPath) => Origin {
  let known: Map<string, Origin> | undefined;
  return (path) => {
    known ??= new Map();
    const key = JSON.stringify(path);
    const origin = known.get(key) ?? locateAnew(file, index, path);
    known.set(key, origin);
    return origin;
  };
}

function locateAnew(file: SourceFile, index: number, path: FieldPath): Origin {
  const { positionOf, parsed } = parsedAgain(file);
  const root = present('code' in parsed ? undefined : parsed[index]?.root, 'the document');
  return { file: file.path, ...positionOf(valueOffset(root, path)) };
}

/** One file at a time: places are asked for file after file (`mesh/resolve-meshes.ts`). */
let newest: { readonly file: SourceFile; readonly again: ReturnType<typeof parse> } | undefined;

function parsedAgain(file: SourceFile): ReturnType<typeof parse> {
  if (newest?.file !== file) {
    const content = readText(file);
    newest = { file, again: parse(content.kind === 'text' ? content.text : '') };
  }
  return newest.again;
}

/**
 * What follows a `name:` anywhere in a text that is no YAML: the names of the resources in it, and
 * more.
 */
function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/\bname:[ \t]*["']?([A-Za-z0-9_.-]{1,255})/g)].map(
    ([, name]) => name ?? '',
  );
}
