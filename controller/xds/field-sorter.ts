/** The fields of a request, sorted into its long lists and the rest, without decoding any. */
import type { Resumable } from '../base/in-parts.js';
import { FieldReader } from './wire.js';

export interface TakenOut {
  readonly runs: readonly Buffer[];
  /** How many fields each run has. */
  readonly counts: readonly number[];
}

/**
 * The bytes of the fields that may be there thousands of times, in the order of `fields`, and behind them
 * the rest, which is a short message. Most requests have none of those and are their own rest; every
 * acknowledgement of every proxy comes through here, so nothing is made that is not needed. A unit is a field.
 */
export class FieldSorter implements Resumable<TakenOut> {
  private readonly bytes: Buffer;
  private readonly fields: readonly number[];
  private readonly reader: FieldReader;
  private readonly counts: number[];
  private readonly runs: (Buffer[] | undefined)[];
  private place: number;
  private begin = 0;
  private switches = 0;

  constructor(bytes: Buffer, fields: readonly number[]) {
    this.bytes = bytes;
    this.fields = fields;
    this.reader = new FieldReader(bytes);
    this.place = fields.length;
    this.counts = new Array(fields.length + 1).fill(0);
    this.runs = new Array(fields.length + 1).fill(undefined);
  }

  goOn(units: number): boolean {
    const { reader, fields, counts } = this;
    for (let left = units; left > 0; left -= 1) {
      if (!reader.next()) {
        return true;
      }
      const found = fields.indexOf(reader.field);
      const next = found < 0 ? fields.length : found;
      counts[next] = (counts[next] ?? 0) + 1;
      if (next !== this.place) {
        this.close(reader.begin);
        this.place = next;
      }
    }
    return false;
  }

  result(): TakenOut {
    this.close(this.bytes.length);
    return { runs: this.runs.map(joined), counts: this.counts };
  }

  private close(end: number): void {
    const { begin, bytes, place } = this;
    if (end === begin) {
      return;
    }
    this.switches += 1;
    if (this.switches > switchesMax) {
      throw new RangeError('names stand between other fields, over and over');
    }
    const list = this.runs[place] ?? [];
    this.runs[place] = list;
    list.push(begin === 0 && end === bytes.length ? bytes : bytes.subarray(begin, end));
    this.begin = end;
  }
}

/** Writers put the elements of a list one after another; each change costs what a hundred names do. */
const switchesMax = 1_000;

function joined(run: readonly Buffer[] | undefined): Buffer {
  const [first = empty, ...others] = run ?? [];
  return others.length === 0 ? first : Buffer.concat([first, ...others]);
}

const empty = Buffer.alloc(0);
