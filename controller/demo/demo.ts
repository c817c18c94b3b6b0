/**
 * `headgate demo`: Headgate's story on this machine with everything real. A good release is promoted, a
 * bad one rolled back, and its revert clears it; then the stage is the person's, until Ctrl-C.
 */
import { join } from 'node:path';
import { errorText } from '../base/op-error.js';
import { type DemoOptions, type Stage, setUp } from './stage.js';
import { tellStory } from './story.js';
import { tellTheRest } from './tell-the-rest.js';

/** Runs the demo; the result is the process's exit code, 0 where all went as told. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const stage = await setUp(options, undo);
    const isTold = await tellStory(stage, options);
    if (!options.exit && !options.signal.aborted) {
      await stage.controls.open();
      tellWhatToTry(stage, options);
      await tellTheRest(stage, options);
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

function tellWhatToTry(stage: Stage, { say, program }: DemoOptions): void {
  const { clone } = stage.repository;
  say('');
  say(
    '  Your turn. Everything keeps running until Ctrl-C. Of what you do, this terminal tells too.',
  );
  say(`  On the page, ${stage.pageUrl}, are buttons:`);
  say('    releases good and bad, a mistake, Git gone, a proxy killed');
  say('  In another terminal:');
  say(`    curl -H "host: checkout.shop.local" http://127.0.0.1:${stage.egressPort}/`);
  say(`    export HEADGATE_SERVER=${stage.app.httpUrl}`);
  say(`    ${program} status --watch`);
  say(`    edit ${join(clone, 'checkout.yaml')}, and then`);
  say(`    git -C ${clone} commit -am "my change" && git -C ${clone} push origin HEAD:main`);
}
