/**
 * What one file, one document can have wrong by itself: text and YAML (HG02xx) and the schema of
 * its kind (HG03xx). With the codes of `mesh/problems.ts` this is the table that `headgate explain`
 * and the documentation show; each code is produced by a golden case.
 */
import type { Problem, ProblemEntry } from '../base/problem.js';
import { meshProblems } from '../mesh/problems.js';

export const decodeProblems = {
  HG0001: {
    title: 'more problems than are shown',
    cause: 'The revision has so many problems that the rest of them would hide the first.',
    resolution: 'Correct those that are shown, and look again.',
    example: '# a file of 200,000 misspelt fields',
  },
  HG0201: {
    title: 'not UTF-8',
    cause: 'A file has bytes that are no UTF-8, as an editor with another encoding writes.',
    resolution: 'Save the file as UTF-8.',
    example: '# é saved as Latin-1',
  },
  HG0202: {
    title: 'UTF-16',
    cause: 'A file is UTF-16 or UTF-32, as some tools on Windows write.',
    resolution: 'Save the file as UTF-8; a byte order mark and CR LF are fine.',
    example: '# bytes FF FE first',
  },
  HG0203: {
    title: 'not text',
    cause: 'A file is binary, or has a control character that YAML does not allow.',
    resolution: 'Remove the character, or move the file out of the configured path.',
    example: '# an image saved as mesh.yaml',
  },
  HG0204: {
    title: 'not YAML',
    cause:
      'The text breaks a rule of YAML: indentation, a missing quote or bracket, a tab, an ' +
      'alias of no anchor.',
    resolution: 'Correct the text where the message says; the mistake may be in the line before.',
    example: 'spec: { listeners: [',
  },
  HG0205: {
    title: 'nested too deep',
    cause: 'More than 64 levels stand inside one another.',
    resolution: 'Look for brackets or dashes too many.',
    example: '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]…',
  },
  HG0206: {
    title: 'aliases beyond the limits',
    cause:
      'A document has more than 20 aliases, more than 200,000 values with aliases written ' +
      'out, or an alias inside its own anchor.',
    resolution: 'Write the values out.',
    example: 'a: &a [*a]',
  },
  HG0207: {
    title: 'field twice',
    cause: 'A mapping has the same field twice, so one of the two would be lost.',
    resolution: 'Keep one of them.',
    example: 'weight: 10\nweight: 90',
  },
  HG0208: {
    title: 'unknown tag',
    cause: 'A value has a tag that YAML 1.2 does not define, or is not what its tag says.',
    resolution: 'Remove the tag.',
    example: 'name: !!js/function "reviews"',
  },
  HG0209: {
    title: 'number that cannot be kept',
    cause:
      'A number is not finite, has more digits than can be kept, or has a leading 0, which ' +
      'readers take differently.',
    resolution: 'Write the number that is meant, or put text in quotes.',
    example: 'port: 09080',
  },
  HG0210: {
    title: 'field name that is no text',
    cause: 'The name of a field is a number, true, null, a list or a mapping.',
    resolution: 'Put it in quotes.',
    example: 'labels: { 2024: yes }',
  },
  HG0211: {
    title: 'merge key',
    cause: 'The text merges a mapping with <<, which YAML 1.2 does not have.',
    resolution: 'Repeat the fields, or alias the whole value.',
    example: 'timeout: { <<: *defaults }',
  },
  HG0301: {
    title: 'wrong apiVersion',
    cause:
      'A document is not of headgate/v1: it has no apiVersion, or is of App Mesh or Kubernetes.',
    resolution:
      'Write apiVersion: headgate/v1, import the file, or move it out of the configured path.',
    example: 'apiVersion: headgate/v2',
  },
  HG0302: {
    title: 'unknown kind',
    cause: 'A document has a kind that Headgate does not know, or none.',
    resolution: 'Write one of the kinds that the message lists.',
    example: 'kind: VirtualRuter',
  },
  HG0303: {
    title: 'not a resource',
    cause: 'A document is a list or a single value.',
    resolution: 'Write each resource as a document of its own, with --- between them.',
    example: '- kind: Mesh',
  },
  HG0304: {
    title: 'unknown field',
    cause: 'A field is not known where it stands: a typing error, or a wrong indentation.',
    resolution: 'Correct its name or move it; nothing that is written is ignored.',
    example: 'spec: { listners: [] }',
  },
  HG0305: {
    title: 'missing field',
    cause: 'A field that is needed is not there.',
    resolution: 'Add it.',
    example: 'portMapping: { port: 80 } # and no protocol',
  },
  HG0306: {
    title: 'wrong type',
    cause:
      'A value is text where a number is expected, a list where a mapping is, or nothing at all.',
    resolution: 'Write a value of the type that the message names.',
    example: 'port: "80"',
  },
  HG0307: {
    title: 'value that is not among the allowed',
    cause: 'A field takes one of a few words, and the value is none of them.',
    resolution: 'Write one of the words that the message lists.',
    example: 'protocol: https',
  },
  HG0308: {
    title: 'out of range',
    cause:
      'A number, the length of a text or of a list is above or below its limit, or a list ' +
      'has an element twice.',
    resolution: 'Use a value in the range that the message names.',
    example: 'weight: 101',
  },
  HG0309: {
    title: 'malformed text',
    cause:
      'A text is not of the form that its field needs: a name, a host name, an IP address, a ' +
      'duration, a path.',
    resolution: 'Write it in the form that the message describes.',
    example: 'bake: 5 minutes',
  },
  HG0310: {
    title: 'no regular expression of RE2',
    cause:
      "An expression is malformed, or uses what RE2 (Envoy's engine) does not have: " +
      'lookahead, lookbehind, backreferences.',
    resolution: 'Rewrite it in RE2 syntax.',
    example: 'regex: "(?!internal).*"',
  },
  HG0311: {
    title: 'wrong number of alternatives',
    cause: 'Of several fields that exclude one another none is set, or more than one.',
    resolution: 'Set exactly one (where the message says so, at least one).',
    example: 'serviceDiscovery: { dns: …, static: … }',
  },
  HG0312: {
    title: 'only in App Mesh',
    cause: 'A field of App Mesh needs AWS or Kubernetes to mean anything.',
    resolution: 'Use the alternative that the message names.',
    example: 'certificate: { acm: { certificateARN: … } }',
  },
} as const satisfies Readonly<Record<`HG0${0 | 2 | 3}${number}`, ProblemEntry>>;

export type DecodeProblemCode = keyof typeof decodeProblems;

/** Every code from text to policy, HG0001 and HG02xx to HG06xx. */
export const problemTable: Readonly<Record<string, ProblemEntry>> = {
  ...decodeProblems,
  ...meshProblems,
};

/** An error of `file`. */
export function decodeProblem(
  code: DecodeProblemCode,
  place: { readonly file: string; readonly line: number; readonly column: number },
  message: string,
  details: Partial<Problem> = {},
): Problem {
  const { file, line, column } = place;
  return { code, severity: 'error', message, file, line, column, ...details };
}
