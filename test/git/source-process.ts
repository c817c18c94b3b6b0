/** A process of its own that runs a source and prints each event as a line of JSON, to be killed. */
import { createClock } from '../../controller/clock.js';
import { createGitSource, type GitSourceSettings } from '../../controller/git/git-source.js';
import { recordingLogger } from '../support/recording-logger.js';

const settings: GitSourceSettings = JSON.parse(process.argv[2] ?? '{}');
const deps = { clock: createClock(), logger: recordingLogger(), random: () => 0 };

// The clock's own timers do not keep a process alive.
setInterval(() => {}, 1_000);
createGitSource(settings, deps).start((event) => {
  const shown = event.kind === 'revision' ? { kind: event.kind, id: event.revision.id } : event;
  process.stdout.write(`${JSON.stringify(shown)}\n`);
});
