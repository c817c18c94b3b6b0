/**
 * `headgate demo`: Headgate's story on this machine with everything real. A good release is promoted, a
 * bad one rolled back, and its revert clears it; then the stage is the person's, until Ctrl-C.
 */
import { join } from 'node:path';
import { errorText } from '../base/op-error.js';
import { type DemoOptions, type Stage, setUp } from './stage.js';
import { tellStory } from './story.js';

/** Runs the demo; the result is the process's exit code, 0 where all went as told. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const stage = await setUp(options, undo);
    const isTold = await tellStory(stage, options);
    if (!options.exit && !options.signal.aborted) {
      await stage.controls.open();
      tellWhatToTry(stage, options.say);
      await aborted(options.signal);
    }
    return isTold ? 0 : 1;
  } catch (error) {
    if (options.signal.aborted) {
      return 0;
    }
    options.say(`  ✖ ${errorText(error)}`);
    return 1;
  } finally {
    // In reverse: traffic first, so that nothing of the end looks like a lost request.
    for (const step of undo.reverse()) {
      await step();
    }
    options.say('  everything stopped and removed');
  }
}

function tellWhatToTry(stage: Stage, say: (line: string) => void): void {
  const { clone } = stage.repository;
  say('');
  say('  Your turn. Everything keeps running until Ctrl-C:');
  say(
    `    edit ${join(clone, 'checkout.yaml')}, then: git -C ${clone} commit -am "my change" && git -C ${clone} push origin HEAD:main`,
  );
  say(
    `    press the buttons at ${stage.pageUrl}: releases good and bad, a mistake, Git gone, a proxy killed`,
  );
  say(`    headgate status --server ${stage.app.httpUrl}`);
  say(`    headgate rollouts --server ${stage.app.httpUrl}`);
  say(`    curl -H "host: checkout.shop.local" http://127.0.0.1:${stage.egressPort}/`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    }
    signal.addEventListener('abort', () => resolve(), { once: true });
    // The servers of the stage keep the process up; the clock's timers do not.
  });
}
