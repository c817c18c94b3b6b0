/**
 * What a gate kind is: a pure judge, and what a plan says of the gate. Adapters only measure; what a
 * measurement means is decided in this folder, so that thresholds can be tested by script. A new kind is
 * an entry in the schema, a type in the model, a file beside this one and a line in the table of `judge.ts`.
 */
import type { Gate, MeasuredGate } from '../../mesh/gates.js';
import type { Mesh } from '../../mesh/model.js';
import type { LoadHistory } from '../load-history.js';
import type { GateMemory, GateResult, Rollout, Verdict } from '../rollout.js';
import type { Measured } from './measurement.js';

/** What was seen of the world, as far as gates judge by it. */
export interface Evidence {
  readonly load: LoadHistory;
  /** The desired mesh: which nodes answer for the changed configuration. */
  readonly mesh: Mesh;
  /** The newest answer to a gate that asks the outside, at the present step; undefined before the first. */
  readonly measured: (rollout: Rollout, gate: MeasuredGate) => Measured | undefined;
  readonly nowMs: number;
}

/** One gate's question about what was seen since the step began to count. */
export interface GateQuestion<Kind extends Gate = Gate> {
  readonly rollout: Rollout;
  readonly gate: Kind;
  readonly evidence: Evidence;
  /** What is older counts for nothing: it is from before the acknowledgement, or was judged as a failure. */
  readonly fromMs: number;
  /** What the gate said last; undefined before its first answer in the rollout. */
  readonly previous?: GateResult;
}

/** The answer to one question; what is counted over many of them is added by `judge`. */
export interface Judgement {
  readonly verdict: Verdict;
  /** In the gate's unit; undefined where nothing was measured. */
  readonly observed?: number;
  readonly limit?: number;
  readonly samples: number;
  /** True: there is no verdict yet, and that is no lack of data. Undefined: false. */
  readonly isPending?: boolean;
  /** Why there is no verdict; undefined: there is one, or what is missing is only more of the same. */
  readonly code?: string;
  /** True: what was seen speaks against the canary, though not yet loud enough; it is no lack of data. */
  readonly isContested?: boolean;
  /** Measurements in a row that were not possible; undefined: the newest one was. */
  readonly errors?: number;
  /** In the form of `figure`, or what is missing for a verdict. */
  readonly text: string;
  /** Handed back with the next question, in `previous`. */
  readonly memory?: GateMemory;
  /** The same of a rollout that is judged part by part. */
  readonly partMemories?: Readonly<Record<string, GateMemory>>;
}

export interface GateKind<Kind extends Gate> {
  /** True: it judges by the canary's answers, so it is not asked while no request reaches the canary. */
  readonly needsRequests?: true;
  readonly judge: (question: GateQuestion<Kind>) => Judgement;
  /** After this long without data there is none: a bake may be shorter than a report. */
  readonly windowMs: (gate: Kind) => number;
  /** What the gate asks for, for people who read a plan. */
  readonly describe: (gate: Kind) => string;
}
