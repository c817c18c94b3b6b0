/** `headgate pause|resume|promote|abort|retry|approve ROLLOUT`: what a person asks of a rollout. */
import { hostname, userInfo } from 'node:os';
import { Command, Option } from 'commander';
import type { RolloutView } from '../api/rollout-view.js';
import { printable } from '../base/printable.js';
import type { RolloutCommand } from '../rollout/rollout.js';
import { getJson, postJson } from './client.js';
import type { Io } from './io.js';
import { addHelp, addOutputOption, addServerOption, serverOf } from './options.js';
import { renderData } from './print.js';
import { outcomeOf, waitGoals } from './wait-goals.js';
import { addWaitOptions, timeoutExitCode, type WaitOptions, waitUntil } from './watch.js';

interface RolloutCommandOptions extends WaitOptions {
  readonly reason: string;
  readonly output: (typeof formats)[number];
  readonly server?: string;
}

/** What each does, as its help says it. */
export const rolloutCommands: Readonly<Record<RolloutCommand, string>> = {
  pause: 'Keeps the weights where they are until resume.',
  resume:
    'Goes on from where pause stopped it, and the gates of the step start over; or lets go what a ' +
    'manual gate holds.',
  promote: 'Skips the remaining steps and serves the change in full.',
  abort: 'Goes back to the last good state, and holds the change.',
  retry: 'Tries a change that failed and is held once more.',
  approve: 'Lets a rollout that waits for approval leave its step, or enter its next one.',
};

const formats = ['table', 'json', 'yaml', 'name'] as const;

export function rolloutCommand(name: RolloutCommand, io: Io): Command {
  const help = rolloutCommands[name];
  const command = new Command(name)
    .summary(`${name} a rollout`)
    .description(help)
    .argument('<rollout>', 'id of the rollout, as `headgate rollouts` lists it')
    .addOption(new Option('--reason <text>', 'Why; kept in the history.').default('', 'none'))
    .action(async (id: string, options: RolloutCommandOptions) => {
      const server = serverOf(options, io.env);
      const rollout = await give(server, name, id, options, io);
      io.out(await renderOne(rollout, options.output));
    });
  addWaitOptions(addOutputOption(command, formats), `Wait until ${waitGoals[name]}.`);
  return addHelp(
    addServerOption(command),
    [
      `headgate ${name} reviews-3 --reason "why"`,
      `headgate ${name} reviews-3 --wait --timeout 30m -o json`,
    ],
    [
      '0    done; with --wait, it came to what was waited for',
      '1    failed; with --wait, it ended or stopped otherwise',
      '2    the command line is wrong',
      `${timeoutExitCode}  --wait: it had not come to it in time`,
    ],
  );
}

async function give(
  server: string,
  command: RolloutCommand,
  id: string,
  { reason, wait, timeout }: RolloutCommandOptions,
  io: Io,
): Promise<RolloutView> {
  const path = `/api/v1/rollouts/${encodeURIComponent(id)}`;
  // What retry starts is another rollout, known by its not having been there.
  const before = wait === true && command === 'retry' ? await getRollouts(server) : [];
  const rollout = await postJson<RolloutView>(server, `${path}/${command}`, {
    reason,
    by: whoAmI(),
  });
  if (wait !== true) {
    return rollout;
  }
  const known = new Set(before.map((one) => one.id));
  let latest: RolloutView | undefined = rollout;
  const what = `${id}: ${command} did not come to what it leads to`;
  await waitUntil({ what, timeoutMs: timeout, io }, async () => {
    latest =
      command === 'retry'
        ? (await getRollouts(server)).find((one) => isSuccessor(one, rollout, known))
        : await getJson<RolloutView>(server, path);
    const outcome = latest && outcomeOf(command, latest);
    io.exitCode = outcome === 'reached' ? 0 : 1;
    return outcome !== undefined && outcome !== 'onItsWay';
  });
  return latest;
}

function getRollouts(server: string): Promise<readonly RolloutView[]> {
  return getJson<readonly RolloutView[]>(server, '/api/v1/rollouts');
}

function isSuccessor(one: RolloutView, of: RolloutView, known: ReadonlySet<string>): boolean {
  return one.mesh === of.mesh && one.name === of.name && !known.has(one.id);
}

async function renderOne(
  rollout: RolloutView,
  output: RolloutCommandOptions['output'],
): Promise<string> {
  switch (output) {
    case 'json':
    case 'yaml':
      return renderData(rollout, output);
    case 'name':
      return `${rollout.id}\n`;
    case 'table':
      return `${rollout.id} ${rollout.phase}: ${printable(rollout.reason)}\n`;
  }
}

/** A claim, for the history: nobody checks it while there is no authentication. */
function whoAmI(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A container's user need not have a name.
    return `somebody@${hostname()}`;
  }
}
