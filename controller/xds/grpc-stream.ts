/**
 * One gRPC stream on an HTTP/2 stream, from the server's side: messages in and out, and the one status
 * that ends it (gRPC documentation, "PROTOCOL-HTTP2"). What is written is never copied here: thousands of
 * streams are given the same bytes.
 */
import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Clock } from '../loop/ports.js';
import { FrameError, framed, MessageReader } from './grpc-frames.js';

/** Of gRPC's status codes those that we end streams with. */
export const grpcStatus = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

export type GrpcStatus = keyof typeof grpcStatus;

/** What happens on a stream. */
export interface GrpcStreamHandler {
  /** Called for every DATA frame, before what it completes. */
  onPiece(bytes: number): void;
  onMessage(message: Buffer): void;
  /** The peer says nothing more, and may still read. */
  onHalfClose(): void;
  /**
   * It was cut off: by the peer (RST_STREAM), or with its connection, which then is no longer open. Called
   * as that is read, so before the connection's end that may come in the same piece; `onClose` follows.
   */
  onReset(): void;
  /** Called once, as the last: we ended it; or the peer took it back, or its connection went. */
  onClose(by: 'us' | 'peer'): void;
}

const responseHeaders: OutgoingHttpHeaders = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': 'identity',
};

export class GrpcStream {
  private readonly stream: ServerHttp2Stream;
  private readonly clock: Clock;
  private isAnswered = false;
  private isEnded = false;
  private conclude: (by: 'us' | 'peer') => void = () => {};

  constructor(stream: ServerHttp2Stream, clock: Clock) {
    this.stream = stream;
    this.clock = clock;
    stream.on('error', () => {
      // It is closed next, which is what counts.
    });
  }

  /** Reads the stream. `requestBytesMax` holds for each message. */
  serve(
    handler: GrpcStreamHandler,
    options: {
      readonly requestBytesMax: number;
      readonly encoding?: string;
      readonly timeoutMs?: number;
    },
  ): void {
    const { stream } = this;
    const reader = new MessageReader(options.requestBytesMax, options.encoding);
    const cancelDeadline =
      options.timeoutMs === undefined
        ? () => {}
        : this.clock.after(options.timeoutMs, () =>
            this.end('deadlineExceeded', 'the deadline is over'),
          );
    this.conclude = (by) => {
      this.conclude = () => {};
      cancelDeadline();
      handler.onClose(by);
    };
    stream.on('data', (piece: Buffer) => {
      handler.onPiece(piece.length);
      if (!this.isEnded) {
        this.read(reader, piece, handler);
      }
    });
    stream.on('end', () => {
      // A stream that was reset, or whose connection went, ends as well, and is closed already.
      if (stream.closed || stream.destroyed || this.isEnded) {
        return;
      }
      if (reader.isWaiting) {
        this.end('internal', 'the last message is cut short');
      } else {
        handler.onHalfClose();
      }
    });
    stream.once('aborted', () => handler.onReset());
    stream.once('close', () => this.conclude('peer'));
  }

  /** Reads nothing more until `resume`; what is here already may still come. */
  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  /** Hands the message that `parts` are over; `done` is called once the other end had room for it. */
  write(parts: readonly Buffer[], done: () => void): void {
    const { stream } = this;
    if (this.isEnded || stream.closed || stream.destroyed) {
      return;
    }
    this.answer();
    const pieces = framed(parts);
    stream.cork();
    for (const [index, piece] of pieces.entries()) {
      if (index < pieces.length - 1) {
        stream.write(piece);
      } else {
        stream.write(piece, (error) => {
          if (!error) {
            done();
          }
        });
      }
    }
    stream.uncork();
  }

  /** Answers what is no gRPC with plain HTTP `headers`, in place of everything else. */
  refuse(headers: OutgoingHttpHeaders): void {
    this.isEnded = true;
    this.stream.respond(headers, { endStream: true });
    this.release();
  }

  end(status: GrpcStatus, message = ''): void {
    const { stream } = this;
    if (this.isEnded || stream.closed || stream.destroyed) {
      return;
    }
    this.isEnded = true;
    const trailers = {
      'grpc-status': String(grpcStatus[status]),
      ...(message === ''
        ? {}
        : { 'grpc-message': percentEncoded(message.slice(0, messageLengthMax)) }),
    };
    if (this.isAnswered) {
      stream.once('wantTrailers', () => {
        if (!stream.closed && !stream.destroyed) {
          stream.sendTrailers(trailers);
          this.release();
        }
      });
      stream.end();
    } else {
      stream.respond({ ...responseHeaders, ...trailers }, { endStream: true });
      this.release();
    }
  }

  private answer(): void {
    if (!this.isAnswered) {
      this.isAnswered = true;
      this.stream.respond(responseHeaders, { waitForTrailers: true });
    }
  }

  private read(reader: MessageReader, piece: Buffer, handler: GrpcStreamHandler): void {
    try {
      for (const message of reader.read(piece)) {
        if (!this.isEnded) {
          handler.onMessage(message);
        }
      }
    } catch (error) {
      if (!(error instanceof FrameError)) {
        throw error;
      }
      this.end(statusOfReason[error.reason], error.message);
    }
  }

  /** What the peer still sends is passed over, and soon it is told to stop (RFC 9113, 8.1). */
  private release(): void {
    const { stream } = this;
    stream.resume();
    const cancel = this.clock.after(lingeringMs, () => stream.close(constants.NGHTTP2_NO_ERROR));
    stream.once('close', cancel);
    this.conclude('us');
  }
}

/** How long a peer has to close its side of a stream that we have ended; clients do it at once. */
const lingeringMs = 5_000;

const statusOfReason = {
  tooLong: 'resourceExhausted',
  compressed: 'unimplemented',
  malformed: 'internal',
} as const;

const timeoutUnitsMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** What of `serve`'s options the headers say. */
export function optionsOf(headers: IncomingHttpHeaders): {
  readonly encoding?: string;
  readonly timeoutMs?: number;
} {
  const encoding = headers['grpc-encoding'];
  return {
    ...(encoding === undefined ? {} : { encoding: String(encoding) }),
    timeoutMs: timeoutOf(headers),
  };
}

/** Milliseconds that the client waits, of the header `grpc-timeout`; undefined: for ever. */
function timeoutOf(headers: IncomingHttpHeaders): number | undefined {
  const found = /^(\d{1,8})([HMSmun])$/.exec(String(headers['grpc-timeout'] ?? ''));
  return found === null ? undefined : Number(found[1]) * (timeoutUnitsMs[found[2] ?? ''] ?? 0);
}

/** Characters of a `grpc-message`. Peers take 8 KiB of headers, and each character may be 9 bytes of them. */
const messageLengthMax = 800;

/** As `grpc-message` has to be: what is not printable ASCII, and the percent sign, as bytes of UTF-8. */
function percentEncoded(text: string): string {
  return text.replace(/[^ -$&-~]/gu, (character) =>
    [...Buffer.from(character, 'utf8')]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}
