/**
 * A gate that counts answers, asked of each part of a rollout for itself: what an `atomic` policy joins is
 * still several services, and together the answers of a busy one would hide those of a quiet one. The
 * rollout passes where every part does, and fails with the first that fails.
 */
import type { Gate } from '../../mesh/gates.js';
import { judgedParts } from '../groups.js';
import { servedStep } from '../mix.js';
import type { GateMemory } from '../rollout.js';
import type { GateKind, GateQuestion, Judgement } from './kind.js';

/** `question` answered by `kind`: as one, where there is one part, or where the gate does not count. */
export function judgeParts<One extends Gate>(
  kind: GateKind<One>,
  question: GateQuestion<One>,
): Judgement {
  const { rollout, evidence, previous } = question;
  const stage = servedStep(rollout)?.stage;
  const parts =
    stage === undefined || !countsAnswers(question.gate)
      ? [rollout.group]
      : judgedParts(rollout.group, evidence.mesh, stage);
  if (parts.length === 1) {
    return kind.judge(question);
  }
  const answers = parts.map((group) => {
    const memory = previous?.partMemories?.[group.name];
    const own = previous && { ...previous, memory };
    const judgement = kind.judge({ ...question, rollout: { ...rollout, group }, previous: own });
    return { name: group.name, judgement };
  });
  return together(answers);
}

function countsAnswers({ kind }: Gate): boolean {
  return kind === 'successRate' || kind === 'compare' || kind === 'latency' || kind === 'health';
}

interface Answer {
  readonly name: string;
  readonly judgement: Judgement;
}

/** What speaks against the rollout most decides; the figures of the others are told with it. */
function together(answers: readonly Answer[]): Judgement {
  const [worst, ...rest] = answers.toSorted(
    (left, right) => weightOf(right.judgement) - weightOf(left.judgement),
  );
  const memories = answers.flatMap(({ name, judgement }): (readonly [string, GateMemory])[] =>
    judgement.memory === undefined ? [] : [[name, judgement.memory]],
  );
  const shown = worst === undefined ? rest : [worst, ...rest];
  return {
    ...(worst?.judgement ?? { verdict: 'none' }),
    memory: undefined,
    partMemories: memories.length === 0 ? undefined : Object.fromEntries(memories),
    samples: answers.reduce((sum, { judgement }) => sum + judgement.samples, 0),
    text: shown.map(({ name, judgement }) => `${name}: ${judgement.text}`).join('; '),
  };
}

/** Of those that are open, what is contested or broken must not pass as a lack of data. */
function weightOf({ verdict, isContested, errors = 0, isPending }: Judgement): number {
  if (verdict !== 'none') {
    return verdict === 'fail' ? 4 : 0;
  }
  if (isContested === true || errors > 0) {
    return 3;
  }
  return isPending === true ? 2 : 1;
}
