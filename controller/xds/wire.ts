/**
 * Protobuf's wire format, as far as responses need it: length-delimited fields that are written by hand
 * around resources which are bytes already. Protocol buffer messages are concatenable, so a response is
 * its parts one after another (protobuf documentation, "Encoding").
 */

/** Tag and length of a length-delimited field: what stands before its bytes. */
export function fieldHeader(field: number, length: number): Buffer {
  return Buffer.from([...varint(field * 8 + 2), ...varint(length)]);
}

/** A field of type bytes, message or string. The empty string is left out, as proto3 does. */
export function textField(field: number, text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length === 0 ? bytes : Buffer.concat([fieldHeader(field, bytes.length), bytes]);
}

/** A repeated string's element, which is written even where it is empty. */
export function elementField(field: number, text: string): Buffer {
  return elementFields(field, [text]);
}

/** All elements of a repeated string, of which there may be thousands. */
export function elementFields(field: number, texts: readonly string[]): Buffer {
  let bytesMax = 0;
  for (const text of texts) {
    bytesMax += headerBytesMax + utf8BytesMax * text.length;
  }
  const bytes = Buffer.allocUnsafe(bytesMax);
  let at = 0;
  for (const text of texts) {
    at = putVarint(bytes, at, field * 8 + 2);
    at = putVarint(bytes, at, Buffer.byteLength(text, 'utf8'));
    at += bytes.write(text, at, 'utf8');
  }
  // A copy: what is kept of a response must not keep what it was made in.
  return bytesMax === 0 ? bytes : Buffer.from(bytes.subarray(0, at));
}

/** A tag and a length, of five bytes each at most. */
const headerBytesMax = 10;

/** Of one UTF-16 code unit. */
const utf8BytesMax = 3;

function putVarint(bytes: Buffer, at: number, value: number): number {
  let [place, rest] = [at, value];
  while (rest > 0x7f) {
    bytes[place] = (rest % 0x80) + 0x80;
    rest = Math.floor(rest / 0x80);
    place += 1;
  }
  bytes[place] = rest;
  return place + 1;
}

/**
 * Goes through the fields of a message without making anything: requests may have thousands of them.
 * Throws where they are cut short, or are groups, which nobody writes any more.
 */
export class FieldReader {
  /** Of the field that `next` has found: its number, where its tag begins, and its value from to. */
  field = 0;
  begin = 0;
  start = 0;
  end = 0;
  /** Its value is text, bytes or a message. */
  isBytes = false;
  private readonly bytes: Buffer;
  private readonly to: number;

  constructor(bytes: Buffer, from = 0, to = bytes.length) {
    this.bytes = bytes;
    this.end = from;
    this.to = to;
  }

  /** False at the end of the message. */
  next(): boolean {
    if (this.end >= this.to) {
      return false;
    }
    this.begin = this.end;
    this.start = this.begin;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.isBytes = tag % 8 === 2;
    this.end = this.endOf(tag % 8);
    if (this.end > this.to) {
      throw new RangeError('a message is cut short');
    }
    return true;
  }

  /** Moves `start` to behind the number that stands there. */
  private varint(): number {
    let value = 0;
    for (let place = 1; place < 2 ** 70 && this.start < this.to; place *= 0x80) {
      const byte = this.bytes[this.start] ?? 0;
      this.start += 1;
      value += (byte & 0x7f) * place;
      if (byte < 0x80) {
        return value;
      }
    }
    throw new RangeError('a message is cut short');
  }

  private endOf(wireType: number): number {
    switch (wireType) {
      case 0: {
        const start = this.start;
        this.varint();
        const end = this.start;
        this.start = start;
        return end;
      }
      case 1:
        return this.start + 8;
      case 2: {
        const length = this.varint();
        return this.start + length;
      }
      case 5:
        return this.start + 4;
      default:
        throw new RangeError(`a message has a field of wire type ${wireType}`);
    }
  }
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}
