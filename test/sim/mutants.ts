/**
 * Bugs that are planted to prove that the simulation finds them: for each thing that always holds, a
 * change of one compiled module that breaks it. They exist nowhere but in the processes that
 * `mutants.test.ts` starts.
 */

export interface Mutant {
  /** What is broken, for people; unique. */
  readonly name: string;
  /** The compiled module below `controller/`. */
  readonly file: string;
  /** Found exactly once in it. */
  readonly text: string;
  readonly becomes: string;
  /** The simulation says this of it. */
  readonly problem: RegExp;
}

export const mutants: readonly Mutant[] = [
  {
    name: 'a step bakes no time at all',
    file: 'rollout/advance.js',
    text: 'const isBaked = world.nowMs >=',
    becomes: 'const isBaked = true || world.nowMs >=',
    problem: /ms of baking/,
  },
  {
    name: 'no acknowledgement is waited for',
    file: 'rollout/world.js',
    text: 'return !isLate && ',
    becomes: 'return false && ',
    problem: /went on to \w+ without/,
  },
  {
    name: 'who connects while a step bakes is not waited for',
    file: 'rollout/advance.js',
    text: 'if (youngProxies(judged, world).length > 0 || !hasQuorum(judged, world)) {',
    becomes: 'if (false) {',
    problem: /left step \d+ without/,
  },
  {
    name: 'no gate is asked',
    file: 'rollout/advance.js',
    text: 'const open = openGates(judged);',
    becomes: 'const open = [];',
    problem: /left step \d+ with \d+ \w+ of \d+ requests/,
  },
  {
    name: 'weights are gained and not lost',
    file: 'rollout/weights.js',
    text: ' - (lost[index] ?? 0)',
    becomes: '',
    problem: /gives \S+ \d+, between|in place of the whole|the process of seed \d+ ended/,
  },
  {
    name: 'weights move backwards',
    file: 'rollout/mix.js',
    text: "step.stage === 'weights' ? servedProgress(step) / 100 : 0",
    becomes: "step.stage === 'weights' ? 1 - servedProgress(step) / 100 : 0",
    problem: /moves its weights backwards/,
  },
  {
    name: 'clients that stay are drawn anew at each step',
    file: 'rollout/step-traffic.js',
    text: 'hashShare(circle)',
    becomes: 'hashShare(circle + step)',
    problem: /sends the client at \d+ from/,
  },
  {
    name: 'requests that match go where weights lead',
    file: 'rollout/step-traffic.js',
    text: "part: 'match', targets: gains",
    becomes: "part: 'match'",
    problem: /requests that are the canary's/,
  },
  {
    name: 'what goes back is still served',
    file: 'rollout/mix.js',
    text: "isEnded(rollout.phase) || rollout.phase === 'RollingBack'",
    becomes: 'isEnded(rollout.phase)',
    problem: /is served what goes back/,
  },
  {
    name: 'removals do not wait for the end',
    file: 'rollout/mix.js',
    text: 'return { ...change, after: before };',
    becomes: 'return change;',
    problem: /dangles for|snapshot was inconsistent|the process of seed \d+ ended/,
  },
  {
    name: 'what is held is tried again',
    file: 'loop/hold.js',
    text: 'const isSame = asked.length',
    becomes: 'const isSame = false && asked.length',
    problem: /tries again what is held|does not come to rest/,
  },
  {
    name: 'what failed is applied',
    file: 'loop/settle.js',
    text: "const succeeded = ended.filter(({ phase }) => phase === 'Succeeded');",
    becomes: 'const succeeded = ended;',
    problem: /is applied anew and nothing has succeeded/,
  },
  {
    name: 'what the store refused is served',
    file: 'loop/keeper.js',
    text: "return code === 'store-doubtful' ? 'doubtful' : 'failed';",
    becomes: "return 'stored';",
    problem: /is served what was not stored/,
  },
  {
    name: 'a rollout that moves on is not written',
    file: 'loop/persist.js',
    text: 'const { group, plan, gates, ...rest } = rollout;',
    becomes: 'const { group, plan, gates, step, waveShare, phase, ...rest } = rollout;',
    problem: /a restart would serve|stored .* is |is served what was not stored/,
  },
  {
    name: 'a restart forgets how far a rollout was',
    file: 'loop/persist.js',
    text: 'rollouts.push(value);',
    becomes: 'rollouts.push({ ...value, step: -1 });',
    problem: /a restart would serve|stored .* is |is served what was not stored/,
  },
  {
    name: 'a newer commit supersedes nothing',
    file: 'loop/supersede.js',
    text: "rollout.phase === 'RollingBack' || changed.length === 0",
    becomes: 'true',
    // Where what a rollout refers to is gone, an assertion ends the process.
    problem: /dangles for|does not come to rest|rests at|process of seed \d+ ended/,
  },
  {
    name: 'a refusal is everybody’s fault',
    file: 'loop/take-refusal.js',
    text: 'changesServed(seen, rollout, proxy);',
    becomes: 'true;',
    problem: /is blamed for what/,
  },
  {
    name: 'a rollout takes resources of another',
    file: 'loop/reconcile.js',
    text: '!runningKeys.has(resourceKey(change.ref))',
    becomes: 'true',
    problem: /has resources of|dangles|does not come to rest|the process of seed \d+ ended/,
  },
  {
    name: 'ids are used again',
    file: 'loop/reconcile.js',
    text: 'work.nextRollout += 1;',
    becomes: '',
    problem: /announced as something else|threw|skipped|has resources of|does not come to rest/,
  },
  {
    name: 'a wave reaches everybody at once',
    file: 'rollout/world.js',
    text: 'Math.max(step.progress / 100, rollout.waveShare)',
    becomes: '1',
    problem: /gives \d+ % to/,
  },
  {
    name: 'a deadline is met before its time',
    file: 'rollout/limits.js',
    text: 'world.nowMs - rollout.stepEnteredAtMs < rollout.plan.stepDeadlineMs',
    becomes: 'world.nowMs - rollout.stepEnteredAtMs < 1000',
    problem: /met its deadline|ms of baking/,
  },
  {
    name: 'a clock that jumps lets everything be over',
    file: 'loop/loop.js',
    text: 'this.state = afterJump(this.state, nowMs);',
    becomes: '',
    problem: /ms of baking|met its deadline|went on to|left step/,
  },
  {
    name: 'a new publication has the number of the old one',
    file: 'loop/generation.js',
    text: 'const generation = nextGeneration(before);',
    becomes: 'const generation = before.generation;',
    problem: /is not served what was decided/,
  },
  {
    name: 'the way out is not told',
    file: 'loop/step.js',
    text: ', ...historyOf(state, next, nowMs)]',
    becomes: ']',
    problem: /the history does not tell/,
  },
  {
    name: 'what is after others does not wait for them',
    file: 'rollout/advance.js',
    text: 'const open = before(rollout);',
    becomes: 'const open = [];',
    problem: /was started before/,
  },
  {
    name: 'what waits for its turn is served',
    file: 'rollout/mix.js',
    text: 'rollout.isQueued !== true && ',
    becomes: '',
    problem: /is served what is queued|a restart would serve/,
  },
  {
    name: 'an atomic policy joins nothing',
    file: 'rollout/groups.js',
    text: 'policy?.atomic !== true',
    becomes: 'true',
    problem: /start apart/,
  },
  {
    name: 'steps are entered in a freeze',
    file: 'rollout/enter-step.js',
    text: 'const shut = isApproved(rollout, index)',
    becomes: 'const shut = true',
    problem: /in a freeze/,
  },
  {
    name: 'whatever is wanted was good before',
    file: 'rollout/good-states.js',
    text: 'isGood && keys.every((key) => view[key] === wanted[key])',
    becomes: 'isGood',
    problem: /brings back nothing/,
  },
  {
    name: 'nothing is finished first',
    file: 'loop/supersede.js',
    text: "plan.onSupersede === 'finish' && ",
    becomes: 'false && ',
    problem: /its policy says to finish/,
  },
  {
    name: 'a step bakes on any number of proxies',
    file: 'rollout/world.js',
    text: '.share >= quorum',
    becomes: '.share >= 0',
    problem: /bakes on \d+ of \d+ proxies/,
  },
  {
    name: 'an answer from before the step counts for it',
    file: 'rollout/gates/judge-measured.js',
    text: 'const isOld = reachesBackToMs < fromMs || ',
    becomes: 'const isOld = ',
    problem: /on the answer/,
  },
  {
    name: 'what is no number is within its bound',
    file: 'rollout/gates/judge-measured.js',
    text: "outcome.kind === 'number' && Number.isNaN(outcome.value)",
    becomes: 'false',
    problem: /on the answer/,
  },
  {
    name: 'an error of the provider is a pass',
    file: 'rollout/gates/judge-measured.js',
    text: 'errors: measured.errorsInARow,',
    becomes: "verdict: 'pass',",
    problem: /on the answer/,
  },
  {
    name: 'slow answers are fast enough',
    file: 'rollout/gates/latency.js',
    text: 'const hasPassed = observedMs <= limitMs;',
    becomes: 'const hasPassed = true;',
    problem: /with \d+ slow of/,
  },
  {
    name: 'a step goes on after its deadline',
    file: 'rollout/limits.js',
    text: 'world.nowMs - rollout.stepEnteredAtMs < rollout.plan.stepDeadlineMs',
    becomes: 'true',
    problem: /its deadline is over/,
  },
  {
    name: 'a rollout goes on after its maximum',
    file: 'rollout/limits.js',
    text: 'nowMs - sinceMs < plan.maxDurationMs',
    becomes: 'true',
    problem: /its maximum is over/,
  },
  {
    name: 'a pause holds nothing',
    file: 'rollout/advance.js',
    text: "case 'Paused':",
    becomes: "case 'Paused': return advanceBaking(rollout, world);",
    problem: /although it is paused/,
  },
  {
    name: 'nobody has to approve a step',
    file: 'rollout/enter-step.js',
    text: 'step.approval && !isApproved(rollout, index)',
    becomes: 'false',
    problem: /unapproved/,
  },
];
