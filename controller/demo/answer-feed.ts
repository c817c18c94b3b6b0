/**
 * The server-sent events of the demo's page: each request's answer, some together, and the board whenever
 * it changes. Who reads too slowly misses answers, and is sent the whole board the next time.
 */
import type { ServerResponse } from 'node:http';
import type { Board } from './board.js';
import type { Answer } from './load.js';
import type { AnswerView } from './view.js';

/** Often enough to look continuous. */
const batchMs = 150;

/** What a page that is opened late is sent at once: about a wall full. */
const keptMax = 600;

/** The demo is one person's; each page is a stream. */
const readersMax = 16;

export class AnswerFeed {
  private readonly board: Board;
  private readonly readers = new Set<ServerResponse>();
  /** Readers that were too slow for the last batch. */
  private readonly late = new Set<ServerResponse>();
  private kept: AnswerView[] = [];
  private fresh: AnswerView[] = [];
  private isBoardNew = false;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(board: Board) {
    this.board = board;
    board.onChange = () => {
      this.isBoardNew = true;
    };
  }

  add(answer: Answer): void {
    const view =
      answer.kind === 'lost' ? 'lost' : `${answer.version}${answer.status >= 500 ? '!' : ''}`;
    this.kept = [...this.kept.slice(1 - keptMax), view];
    if (this.readers.size > 0) {
      this.fresh.push(view);
    }
  }

  isFull(): boolean {
    return this.readers.size >= readersMax;
  }

  subscribe(response: ServerResponse): void {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      Connection: 'close',
    });
    response.write(render('board', this.board.view()));
    response.write(render('answers', this.kept));
    this.readers.add(response);
    response.on('close', () => {
      this.readers.delete(response);
      this.late.delete(response);
    });
    this.timer ??= setInterval(() => this.send(), batchMs);
  }

  stop(): void {
    clearInterval(this.timer);
    for (const response of this.readers) {
      response.end();
    }
  }

  private send(): void {
    const answers = this.fresh.length > 0 ? render('answers', this.fresh) : '';
    const board = render('board', this.board.view());
    for (const response of this.readers) {
      if (response.writableNeedDrain) {
        this.late.add(response);
        continue;
      }
      const wantsBoard = this.late.delete(response) || this.isBoardNew;
      const text = `${wantsBoard ? board : ''}${answers}`;
      if (text !== '') {
        response.write(text);
      }
    }
    this.fresh = [];
    this.isBoardNew = false;
  }
}

/** JSON has no newline of its own, so one `data` line holds it. */
function render(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
