/**
 * What can be wrong with YAML itself, before anything is known of its meaning: the limits that a
 * document must keep, and the parser's own complaints in words that say where to look.
 */
import { YAMLException } from 'js-yaml';
import { errorText } from '../base/op-error.js';
import { printable } from '../base/printable.js';

export interface YamlFault {
  readonly code: `HG02${number}`;
  readonly message: string;
  /** Offset into the text. */
  readonly offset: number;
}

export const yamlLimits = {
  /** The deepest field of any kind lies 14 deep; whoever nests deeper has no mesh in mind. */
  depthMax: 64,
  /** Aliases of one document: enough to share a timeout or a health check, too few for a bomb. */
  aliasesMax: 20,
  /** Nodes of one document with aliases written out: 10,000 endpoints have 30,000. */
  nodesMax: 200_000,
} as const;

/** What the parser threw, as the fault of the whole file. */
export function parserFault(error: unknown): YamlFault {
  if (!(error instanceof YAMLException)) {
    return { code: 'HG0204', message: `this is no valid YAML: ${errorText(error)}`, offset: 0 };
  }
  const offset = error.mark?.position ?? 0;
  return error.reason.startsWith('nesting exceeded')
    ? { code: 'HG0205', message: tooDeep, offset }
    : { code: 'HG0204', message: `this is no valid YAML: ${syntaxReason(error.reason)}`, offset };
}

/** The parser's reasons that say nothing to people, in words that say where to look. */
const syntaxReasons: Readonly<Record<string, string>> = {
  'deficient indentation':
    'a bracket, brace or quote before this is not closed, or this line is not indented enough',
  'bad indentation of a mapping entry':
    'this does not fit what stands before it: look at the indentation, or put text with a ' +
    'colon in quotes',
  'end of the stream or a document separator is expected':
    'this belongs to nothing above it: look at the indentation of this line and of the one before',
};

function syntaxReason(reason: string): string {
  // Some repeat what stands in the file, which may be long and hold anything.
  return syntaxReasons[reason] ?? printable(reason.slice(0, 120));
}

export const tooDeep =
  `more than ${yamlLimits.depthMax} levels stand inside one another; no field of a mesh lies ` +
  'so deep';
