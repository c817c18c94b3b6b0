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
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([fieldHeader(field, bytes.length), bytes]);
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
