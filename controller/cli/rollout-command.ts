/** `headgate pause|resume|promote|abort|retry|approve ROLLOUT`: what a person asks of a rollout. */
import { hostname, userInfo } from 'node:os';
import { Command, Option } from 'commander';
import type { RolloutView } from '../api/rollout-view.js';
import { printable } from '../base/printable.js';
import type { RolloutCommand } from '../rollout/rollout.js';
import { postJson } from './client.js';
import type { Io } from './io.js';
import { addHelp, addServerOption, serverOf } from './options.js';

interface RolloutCommandOptions {
  readonly reason: string;
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

export function rolloutCommand(name: RolloutCommand, io: Io): Command {
  const help = rolloutCommands[name];
  const command = new Command(name)
    .summary(`${name} a rollout`)
    .description(help)
    .argument('<rollout>', 'id of the rollout, as `headgate rollouts` lists it')
    .addOption(new Option('--reason <text>', 'Why; kept in the history.').default('', 'none'))
    .action(async (id: string, { reason, ...options }: RolloutCommandOptions) => {
      const path = `/api/v1/rollouts/${encodeURIComponent(id)}/${name}`;
      const body = { reason, by: whoAmI() };
      const rollout = await postJson<RolloutView>(serverOf(options, io.env), path, body);
      io.out(`${rollout.id} ${rollout.phase}: ${printable(rollout.reason)}\n`);
    });
  return addHelp(addServerOption(command), [`headgate ${name} reviews-3 --reason "why"`]);
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
