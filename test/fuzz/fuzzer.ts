/**
 * Mutation by seed: inputs of a corpus are changed at random and given to a target, which throws where it
 * does not do what it must. The same seed makes the same inputs.
 */
import type { Random } from '../../controller/base/random.js';
import { seededRandom } from '../../controller/base/random.js';

export interface FuzzTarget {
  readonly name: string;
  /** What is read by what the program reads: pieces that it takes for something special. */
  readonly tokens: readonly (string | Uint8Array)[];
  /** Valid and odd inputs to begin with, besides those that are saved. */
  readonly seeds: () => readonly Uint8Array[];
  /** Throws where `input` makes the program do what it must never do. */
  readonly check: (input: Uint8Array) => void | Promise<void>;
}

export interface FuzzRun {
  readonly cases: number;
  /** The longest that one case took. */
  readonly slowestMs: number;
  /** The input that a target failed at; the run ends with it. */
  readonly failure?: { readonly input: Uint8Array; readonly error: unknown };
}

/** What takes longer than this is a failure, on a machine that has other things to do as well. */
const slowMs = 5000;

/** Longer inputs are cut: the limits of sizes have tests of their own. */
const bytesMax = 64 * 1024;

/** Gives `target` first the `corpus` as it is, then mutations of it until `isDone`. */
export async function fuzz(
  target: FuzzTarget,
  corpus: readonly Uint8Array[],
  options: { readonly seed: number; readonly isDone: (cases: number) => boolean },
): Promise<FuzzRun> {
  const random = seededRandom(options.seed);
  const known = [...corpus, ...target.seeds()];
  let slowestMs = 0;
  let cases = 0;
  for (; cases < known.length || !options.isDone(cases - known.length); cases += 1) {
    const input = known[cases] ?? mutated(random, known, target.tokens);
    const startedMs = performance.now();
    try {
      await target.check(input);
    } catch (error) {
      return { cases: cases + 1, slowestMs, failure: { input, error } };
    }
    const tookMs = performance.now() - startedMs;
    slowestMs = Math.max(slowestMs, tookMs);
    if (tookMs > slowMs) {
      const error = new Error(`it took ${Math.round(tookMs)} ms`);
      return { cases: cases + 1, slowestMs, failure: { input, error } };
    }
  }
  return { cases, slowestMs };
}

function mutated(
  random: Random,
  known: readonly Uint8Array[],
  tokens: FuzzTarget['tokens'],
): Uint8Array {
  let bytes = pick(random, known);
  for (let count = 1 + below(random, 5); count > 0; count -= 1) {
    bytes = mutate(random, bytes, { tokens, other: pick(random, known) });
  }
  return bytes.subarray(0, bytesMax);
}

function mutate(
  random: Random,
  bytes: Uint8Array,
  { tokens, other }: { readonly tokens: FuzzTarget['tokens']; readonly other: Uint8Array },
): Uint8Array {
  const at = below(random, bytes.length + 1);
  const length = below(random, 32);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  switch (below(random, 7)) {
    case 0:
      return Buffer.concat([before, after.subarray(length)]);
    case 1:
      return Buffer.concat([before, Buffer.from(pick(random, tokens)), after]);
    case 2:
      return Buffer.concat([before, Buffer.from(pick(random, tokens)), after.subarray(length)]);
    case 3:
      return Buffer.concat([before, after.subarray(0, length * 8), after]);
    case 4:
      return Buffer.concat([before, other.subarray(below(random, other.length + 1))]);
    case 5:
      return before;
    default:
      return Buffer.concat([before, Buffer.of(below(random, 256)), after.subarray(1)]);
  }
}

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)] as T;
}
