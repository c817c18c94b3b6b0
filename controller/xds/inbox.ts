/**
 * The messages of one stream, taken one after another: at once where the connection is not busy, else in its
 * turns. While anything of the connection waits, no stream of it is read any further, so that what waits is
 * bounded and the peer's own windows hold it back.
 */
import type { InParts } from '../base/in-parts.js';
import type { Connection } from './connection.js';
import type { Readable, Task, Turns } from './turns.js';

export interface InboxOptions {
  readonly turns: Turns;
  readonly connection: Connection;
  readonly stream: Readable;
  /** Begins with a message; what it answers is done in parts. */
  take(message: Buffer): InParts<void> | undefined;
}

export class Inbox {
  private readonly options: InboxOptions;
  private waiting = 0;
  private isClosed = false;

  constructor(options: InboxOptions) {
    this.options = options;
  }

  /** A piece has come, of a message that is perhaps not complete with it. */
  notePiece(bytes: number): void {
    const { connection, stream } = this.options;
    connection.tookPiece(bytes);
    if (connection.lane.hasBacklog) {
      connection.lane.holdBack(stream);
    }
  }

  add(message: Buffer): void {
    const { turns, connection, stream } = this.options;
    if (!turns.enter(connection.lane, this.taskOf(message))) {
      this.waiting += 1;
      connection.lane.holdBack(stream);
    }
  }

  /** Nothing more will come; `then` is called once all that has come was taken. */
  end(then: () => void): void {
    if (this.waiting === 0 || this.isClosed) {
      then();
      return;
    }
    this.options.turns.enter(this.options.connection.lane, {
      run() {
        then();
        return true;
      },
    });
  }

  /** What has not been taken by now counts no more. */
  close(): void {
    this.isClosed = true;
  }

  private taskOf(message: Buffer): Task {
    const { connection, take } = this.options;
    let isBegun = false;
    let rest: InParts<void> | undefined;
    return {
      run: () => {
        if (!isBegun) {
          isBegun = true;
          connection.took(message.length);
          rest = this.isClosed ? undefined : take(message);
        }
        if (!this.isClosed && rest !== undefined && rest.next().done !== true) {
          return false;
        }
        if (this.waiting > 0) {
          // Where none waited, it was taken at once.
          this.waiting -= 1;
        }
        return true;
      },
    };
  }
}
