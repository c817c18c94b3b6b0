/** After the story: what comes of the person's own commits and buttons, told as the story was. */
import type { RolloutView } from '../api/rollout-view.js';
import type { DemoOptions, Stage } from './stage.js';
import { tellRollout } from './watch.js';

/** Tells it line by line until the demo is stopped. */
export async function tellTheRest(stage: Stage, { say, headlineOf }: DemoOptions): Promise<void> {
  const { watcher } = stage;
  const known = new Map<string, RolloutView>();
  for (const rollout of await watcher.rollouts()) {
    known.set(rollout.id, rollout);
  }
  let headline = headlineOf(await watcher.status());
  await watcher.untilStopped(async () => {
    for (const rollout of [...(await watcher.rollouts())].reverse()) {
      for (const line of tellRollout(known.get(rollout.id), rollout)) {
        tell(say, line);
      }
      known.set(rollout.id, rollout);
    }
    const status = await watcher.status();
    const now = headlineOf(status);
    if (now !== headline) {
      headline = now;
      tell(say, now);
      tell(say, status.revision.error);
    }
  });
}

function tell(say: (line: string) => void, text: string | undefined): void {
  if (text !== undefined) {
    say(`          ${text}`);
  }
}
