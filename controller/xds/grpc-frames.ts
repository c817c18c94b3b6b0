/**
 * gRPC's framing of messages over HTTP/2 (gRPC documentation, "PROTOCOL-HTTP2"): each is one byte that says
 * whether it is compressed, four of its length, and its bytes.
 */

export const prefixBytes = 5;

/** The status of the protocol, and the words for people, that end a stream which sent something bad. */
export class FrameError extends Error {
  readonly reason: 'tooLong' | 'compressed' | 'malformed';

  constructor(reason: FrameError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Puts together what arrives in pieces. A message is refused by its prefix, before any of it is kept. */
export class MessageReader {
  private readonly bytesMax: number;
  private readonly encoding: string;
  private pieces: Buffer[] = [];
  private length = 0;

  /** `encoding` is what the stream says that compressed messages are compressed with. */
  constructor(bytesMax: number, encoding = 'identity') {
    this.bytesMax = bytesMax;
    this.encoding = encoding;
  }

  /** What is kept of a message to come. */
  get pieceCount(): number {
    return this.pieces.length;
  }

  /** True in the middle of a message. */
  get isWaiting(): boolean {
    return this.length > 0;
  }

  /**
   * The messages that are complete with `piece`.
   * @throws FrameError where the next one may not be read.
   */
  read(piece: Buffer): readonly Buffer[] {
    this.keep(piece);
    this.length += piece.length;
    const messages: Buffer[] = [];
    for (let end = this.messageEnd(); this.length >= end; end = this.messageEnd()) {
      messages.push(this.take(end).subarray(prefixBytes));
    }
    return messages;
  }

  /**
   * What comes in crumbs is put together at once: each of them would keep the whole of what it was read with.
   * A piece is only ever put behind one that is hardly larger, so that no byte is copied often.
   */
  private keep(piece: Buffer): void {
    if (piece.length === 0) {
      return;
    }
    let last = piece;
    for (
      let before = this.pieces.at(-1);
      before !== undefined && isCrumb(before, last);
      before = this.pieces.at(-1)
    ) {
      this.pieces.pop();
      last = Buffer.concat([before, last]);
    }
    this.pieces.push(last);
  }

  /** Where the first message ends; infinite where not even its prefix is there. */
  private messageEnd(): number {
    if (this.length < prefixBytes) {
      return Number.POSITIVE_INFINITY;
    }
    if ((this.pieces[0]?.length ?? 0) < prefixBytes) {
      this.pieces = [Buffer.concat(this.pieces)];
    }
    const [first = Buffer.alloc(prefixBytes)] = this.pieces;
    const length = first.readUInt32BE(1);
    if (length > this.bytesMax) {
      const message = `a message has ${length} bytes, and may have ${this.bytesMax}`;
      throw new FrameError('tooLong', message);
    }
    if (first.readUInt8(0) !== 0) {
      throw this.flagError(first.readUInt8(0));
    }
    return prefixBytes + length;
  }

  /** The two are told apart as gRPC's documentation "compression" says, by test case. */
  private flagError(flag: number): FrameError {
    return flag === 1 && this.encoding !== 'identity'
      ? new FrameError('compressed', 'compressed messages are not taken, only identity is')
      : new FrameError(
          'malformed',
          `a message has the compressed flag ${flag} without an encoding`,
        );
  }

  private take(end: number): Buffer {
    const [first = Buffer.alloc(0), ...others] = this.pieces;
    const all = others.length === 0 ? first : Buffer.concat(this.pieces);
    this.pieces = all.length > end ? [all.subarray(end)] : [];
    this.length -= end;
    return all.subarray(0, end);
  }
}

/** Of pieces this large, each is kept as it came. */
const pieceBytesMin = 8 * 1024;

function isCrumb(before: Buffer, piece: Buffer): boolean {
  return piece.length < pieceBytesMin && before.length <= 2 * piece.length;
}

/** Up to this size, copying a message costs less than handing it over in two pieces. */
const copiedBytesMax = 16 * 1024;

/** The message that `parts` are one after another, as what to write: large parts are not copied. */
export function framed(parts: readonly Buffer[]): readonly Buffer[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(length, 1);
  const pieces: Buffer[] = [];
  let small: Buffer[] = [prefix];
  for (const part of parts) {
    if (part.length <= copiedBytesMax) {
      small.push(part);
    } else {
      pieces.push(Buffer.concat(small), part);
      small = [];
    }
  }
  return small.length === 0 ? pieces : [...pieces, Buffer.concat(small)];
}
