/**
 * `headgate comment FILE`: a Markdown file as the one comment of a pull request, for CI. Where it goes is read
 * from the variables that GitHub's and GitLab's runners set.
 */
import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { errorText } from '../base/op-error.js';
import type { CommentTarget } from '../review/comment.js';
import { CliError, type Io, usageExitCode } from './io.js';
import { addHelp } from './options.js';

interface CommentOptions {
  readonly key: string;
  readonly number?: number;
}

export function commentCommand(io: Io): Command {
  const command = new Command('comment')
    .summary('keep one comment of a pull request up to date')
    .description(
      'Writes FILE as a comment on the pull request or merge request that CI runs for, or changes the one ' +
        'that it wrote before. The token is GITHUB_TOKEN, or HEADGATE_GITLAB_TOKEN with the scope api.',
    )
    .argument('<file>', 'Markdown, as `headgate plan -o markdown` prints it')
    .addOption(
      new Option('--key <name>', 'Tells several comments of one pull request apart.')
        .argParser(readKey)
        .default('plan'),
    )
    .addOption(
      new Option(
        '--number <number>',
        'The pull request (default: the one that CI runs for).',
      ).argParser(readNumber),
    )
    .action(async (file: string, options: CommentOptions) => {
      io.exitCode = await comment(file, options, io);
    });
  return addHelp(command, [
    'headgate comment plan.md',
    'headgate comment plan.md --key prod --number 42',
  ]);
}

function readKey(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._/]*(?:-[A-Za-z0-9._/]+)*$/.test(text)) {
    throw new InvalidArgumentError('It must be letters, digits, dots, slashes and single hyphens.');
  }
  return text;
}

function readNumber(text: string): number {
  if (!/^[1-9][0-9]{0,9}$/.test(text)) {
    throw new InvalidArgumentError('It must be a number from 1.');
  }
  return Number(text);
}

async function comment(file: string, options: CommentOptions, io: Io): Promise<number> {
  const target = await findTarget(options, io.env);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CliError(`${file}: ${errorText(error)}`, usageExitCode);
  });
  const { upsertComment } = await import('../review/comment.js');
  const outcome = await upsertComment(target, options.key, text);
  io.say(io.sayStyle.green(`✔ comment on ${target.repository} #${target.number}: ${outcome}`));
  return 0;
}

async function findTarget({ number }: CommentOptions, env: Io['env']): Promise<CommentTarget> {
  if (env.GITLAB_CI) {
    return {
      provider: 'gitlab',
      apiUrl: needed(env, 'CI_API_V4_URL'),
      repository: needed(env, 'CI_PROJECT_ID'),
      number: number ?? readNumber(needed(env, 'CI_MERGE_REQUEST_IID')),
      token: needed(env, 'HEADGATE_GITLAB_TOKEN'),
    };
  }
  return {
    provider: 'github',
    apiUrl: env.GITHUB_API_URL || 'https://api.github.com',
    repository: needed(env, 'GITHUB_REPOSITORY'),
    number: number ?? (await pullRequestOf(needed(env, 'GITHUB_EVENT_PATH'))),
    token: needed(env, 'GITHUB_TOKEN'),
  };
}

function needed(env: Io['env'], name: string): string {
  const value = env[name];
  if (!value) {
    throw new CliError(`${name} is not set; run this in CI, or set it`, usageExitCode);
  }
  return value;
}

/** From the event that started the workflow, which GitHub leaves in a file. */
async function pullRequestOf(eventPath: string): Promise<number> {
  const event: unknown = JSON.parse(await readFile(eventPath, 'utf8').catch(() => 'null'));
  const { number } =
    (event as { readonly pull_request?: { readonly number?: unknown } } | null)?.pull_request ?? {};
  if (typeof number !== 'number') {
    throw new CliError('the workflow runs for no pull request; give --number', usageExitCode);
  }
  return number;
}
