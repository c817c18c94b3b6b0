/**
 * From a file's bytes to its text. YAML 1.2 allows several encodings; a mesh repository is UTF-8,
 * with or without a byte order mark, and everything else is named for what it is, since a parser's
 * own complaint about it ("unexpected character") sends people looking in the wrong place.
 */
import type { SourceFile } from '../base/revision.js';

export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly fault: TextFault };

/** Why bytes are no text, and where. */
export interface TextFault {
  readonly code: 'HG0201' | 'HG0202' | 'HG0203';
  readonly message: string;
  /** From 1; 0 where the file as a whole is meant. */
  readonly line: number;
  readonly column: number;
}

/** Content tells text from binary within its first bytes. */
const sampleBytes = 8192;

/** Compressed or compiled content has about 11 % control bytes, text has none. */
const binaryShareMin = 0.05;

/** The text of `file` without its byte order mark. */
export function readText(file: SourceFile): FileText {
  const fault = findEncodingFault(file.bytes);
  if (fault !== undefined) {
    return { kind: 'unreadable', fault };
  }
  const text = decodeUtf8(file.bytes);
  if (text === undefined) {
    return { kind: 'unreadable', fault: locateInvalidUtf8(file.bytes) };
  }
  const control = findControl(text);
  return control === undefined ? { kind: 'text', text } : { kind: 'unreadable', fault: control };
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function findEncodingFault(bytes: Uint8Array): TextFault | undefined {
  const [first, second] = bytes;
  const sample = bytes.subarray(0, sampleBytes);
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return wholeFile('HG0202', 'the file is UTF-16 or UTF-32; save it as UTF-8');
  }
  if (isAlternatingZeros(sample)) {
    return wholeFile('HG0202', 'the file is UTF-16 without a byte order mark; save it as UTF-8');
  }
  const controls = sample.filter(isControlByte).length;
  if (controls > sample.length * binaryShareMin) {
    return wholeFile(
      'HG0203',
      'the file is binary; only YAML text may end in .yaml or .yml below the configured path',
    );
  }
  return undefined;
}

/** ASCII in UTF-16 is every second byte zero. */
function isAlternatingZeros(sample: Uint8Array): boolean {
  const pairs = Math.floor(Math.min(sample.length, 64) / 2);
  let evenZeros = 0;
  let oddZeros = 0;
  for (let pair = 0; pair < pairs; pair += 1) {
    evenZeros += sample[2 * pair] === 0 ? 1 : 0;
    oddZeros += sample[2 * pair + 1] === 0 ? 1 : 0;
  }
  const most = Math.max(evenZeros, oddZeros);
  return pairs >= 2 && most > pairs / 2 && Math.min(evenZeros, oddZeros) === 0;
}

function isControlByte(byte: number): boolean {
  return (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) || byte === 0x7f;
}

/** No byte of a multi-byte character is a line feed, so each line can be tried by itself. */
function locateInvalidUtf8(bytes: Uint8Array): TextFault {
  let line = 1;
  let start = 0;
  while (start < bytes.length) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed === -1 ? bytes.length : feed;
    const content = bytes.subarray(start, end);
    if (decodeUtf8(content) === undefined) {
      const column = new TextDecoder().decode(content).indexOf('\ufffd') + 1;
      return { code: 'HG0201', message: invalidUtf8, line, column };
    }
    line += 1;
    start = end + 1;
  }
  return wholeFile('HG0201', invalidUtf8);
}

const invalidUtf8 = 'the bytes here are not valid UTF-8; save the file as UTF-8';

/** What YAML's `c-printable` leaves out (1.2.2, 5.1). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what this is to find.
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/;

function findControl(text: string): TextFault | undefined {
  const index = text.search(control);
  if (index === -1) {
    return undefined;
  }
  const before = text.slice(0, index).split(/\r\n|\n|\r/);
  const digits = text.charCodeAt(index).toString(16).toUpperCase().padStart(4, '0');
  return {
    code: 'HG0203',
    message:
      `the character U+${digits} may not stand in YAML; remove it, or write it as an escape in ` +
      'double quotes',
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
  };
}

function wholeFile(code: TextFault['code'], message: string): TextFault {
  return { code, message, line: 0, column: 0 };
}
