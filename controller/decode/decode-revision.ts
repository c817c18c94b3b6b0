/**
 * From a revision's files to its documents: text, YAML, schema, model, one file after the other and
 * none depending on another. Every problem of every file is collected; nothing is thrown, whatever
 * the bytes.
 */
import type { Problem } from '../base/problem.js';
import type { Revision, SourceFile } from '../base/revision.js';
import type { Declarations, MeshDocument } from '../mesh/document.js';
import { decodeDocument, documentProblemsMax } from './decode-document.js';
import { lineIndex } from './line-index.js';
import { parseYaml } from './parse-yaml.js';
import { type DecodeProblemCode, decodeProblem } from './problems.js';
import { readText } from './text.js';
import type { YamlFault } from './yaml-fault.js';

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
  const collected: Collected = {
    documents: [],
    unreadNames: new Set(),
    problems: [],
    omitted: 0,
    isComplete: true,
  };
  for (const file of revision.files) {
    decodeFile(file, collected);
  }
  return collected;
}

function decodeFile(file: SourceFile, collected: Collected): void {
  const content = readText(file);
  if (content.kind === 'unreadable') {
    const { code, message, line, column } = content.fault;
    collected.problems.push(decodeProblem(code, { file: file.path, line, column }, message));
    collected.isComplete = false;
    return;
  }
  const { text } = content;
  const positionOf = lineIndex(text);
  const parsed = parseYaml(text, positionOf);
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
  for (const { root, faults } of parsed) {
    if (faults.length > 0) {
      addFaults(faults);
    } else if (root.kind !== 'scalar' || root.value !== null) {
      const { document, problems, omitted } = decodeDocument({ file: file.path, root, positionOf });
      collected.documents.push(...(document === undefined ? [] : [document]));
      collected.problems.push(...problems);
      collected.omitted += omitted;
    }
  }
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
