/** `headgate notify test`: sends an example to a notification target, or prints what would be sent. */
import { Command, Option } from 'commander';
import { eventNames, type NotificationTarget } from '../config/notifications.js';
import type { Announcement } from '../loop/events.js';
import { CliError, type Io, usageExitCode } from './io.js';
import { addHelp } from './options.js';
import { addConfigOption, readConfigFile } from './read-config.js';

interface NotifyOptions {
  readonly config?: string;
  readonly event: Announcement['event'];
  readonly commit: string;
  readonly dryRun?: boolean;
}

/** What a commit status is set on where none is named: no repository has it, and the server says so. */
const noCommit = '0'.repeat(40);

export function notifyCommand(io: Io): Command {
  const test = new Command('test')
    .summary('send an example to a target')
    .description('Sends an example to one target of the config file, or to all of them.')
    .argument('[name]', 'The target; all, if left out.')
    .addOption(
      new Option('--event <event>', 'What is said to have happened.')
        .choices(eventNames)
        .default('rollout.rolledBack' satisfies Announcement['event']),
    )
    .addOption(new Option('--commit <id>', 'The commit that it is about.').default(noCommit))
    .addOption(new Option('--dry-run', 'Print what would be sent.'));
  addConfigOption(test).action((name: string | undefined, options: NotifyOptions) =>
    testTargets(name, options, io),
  );
  addHelp(
    test,
    ['headgate notify test releases --config headgate.yaml', 'headgate notify test --dry-run'],
    ['0  every target took it', '1  one did not', '2  the command line or a setting is wrong'],
  );
  return new Command('notify').summary('try out notifications').addCommand(test);
}

async function testTargets(
  name: string | undefined,
  options: NotifyOptions,
  io: Io,
): Promise<void> {
  const { targets, publicUrl } = await readTargets(options, io);
  const chosen = targets.filter((target) => name === undefined || target.name === name);
  if (chosen.length === 0) {
    const known = targets.map((target) => target.name).join(', ') || 'none';
    const what = name === undefined ? 'no target is configured' : `there is no target ${name}`;
    throw new CliError(`${what}; known: ${known}`, usageExitCode);
  }
  const [{ createSink }, { createClock }, { readSecret }] = await Promise.all([
    import('../notify/create-sink.js'),
    import('../clock.js'),
    import('../secrets.js'),
  ]);
  const clock = createClock();
  const announcement = exampleOf(options, clock.now());
  const forgetful = { get: async () => undefined, set: async () => {} };
  let failures = 0;
  for (const target of chosen) {
    const sink = createSink(target, {
      clock,
      publicUrl,
      readSecret: (source) => readSecret(source, io.env),
      memoryOf: () => forgetful,
      pushRevert: () => {
        throw new CliError('a revert is tried with --dry-run only: nothing was rolled back');
      },
    });
    if (options.dryRun === true) {
      io.out(`${JSON.stringify(sink.render(announcement), undefined, 2)}\n`);
      continue;
    }
    try {
      await sink.send(announcement);
      io.out(`${target.name}: delivered\n`);
    } catch (error) {
      failures += 1;
      io.out(`${target.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  if (failures > 0) {
    throw new CliError(`${failures} of ${chosen.length} targets did not take it`);
  }
}

async function readTargets(
  { config }: NotifyOptions,
  io: Io,
): Promise<{ readonly targets: readonly NotificationTarget[]; readonly publicUrl?: string }> {
  const file = await readConfigFile(config, io.env);
  const errors = (file?.problems ?? []).filter(({ severity }) => severity === 'error');
  for (const { place, message } of errors) {
    io.say(io.sayStyle.red(`headgate: error: ${place}: ${message}`));
  }
  if (errors.length > 0) {
    throw new CliError('the settings are wrong', usageExitCode);
  }
  const { targetsFromEnvironment } = await import('../config/environment.js');
  return {
    targets: [...(file?.notifications ?? []), ...targetsFromEnvironment(io.env)],
    publicUrl: io.env.HEADGATE_PUBLIC_URL || file?.values.get('publicUrl')?.text,
  };
}

function exampleOf({ event, commit }: NotifyOptions, nowMs: number): Announcement {
  const isRollout = event.startsWith('rollout.');
  const isBad = event === 'rollout.rolledBack' || event === 'revision.rejected';
  return {
    id: `test/${nowMs}`,
    event,
    severity: isBad ? 'error' : 'info',
    mesh: isRollout ? 'example' : '',
    rollout: isRollout ? 'reviews-0' : undefined,
    services: isRollout ? ['reviews'] : undefined,
    revision: { id: commit, author: 'headgate notify test', title: 'A test', committedAtMs: nowMs },
    title: 'example: reviews, a test of this target',
    text: 'gate errors failed: success rate 70.97% < 99% (31 requests, 6s)',
    facts: [
      { title: 'reviews-v1', value: '100 % (applied 100 %, desired 0 %)' },
      { title: 'reviews-v2', value: '0 % (applied 0 %, desired 100 %)' },
    ],
    commit: {
      context: 'headgate/test',
      state: isBad ? 'failure' : 'success',
      description: 'a test of headgate notify',
    },
    atMs: nowMs,
  };
}
