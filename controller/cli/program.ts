/**
 * The command line as a whole: which commands there are, and what any end of them means as an exit code.
 * Commands load what they need when they run, so `validate` never waits for a gRPC server's code.
 */
import { Command, CommanderError } from 'commander';
import { errorText, OpError } from '../base/op-error.js';
import type { RolloutCommand } from '../rollout/rollout.js';
import { programVersion } from '../version.js';
import { alertsCommand } from './alerts.js';
import { bootstrapCommand } from './bootstrap.js';
import { checkCommand } from './check.js';
import { commentCommand } from './comment.js';
import { completeCommand, completionCommand } from './completion-command.js';
import { demoCommand } from './demo.js';
import { explainCommand } from './explain.js';
import { healthcheckCommand } from './healthcheck.js';
import { historyCommand } from './history.js';
import { importCommand } from './import.js';
import { CliError, type Io, usageExitCode } from './io.js';
import { notifyCommand } from './notify.js';
import { addHelp } from './options.js';
import { sameHere } from './other-verbs.js';
import { planCommand } from './plan.js';
import { proxiesCommand } from './proxies.js';
import { proxyTokenCommand } from './proxy-token.js';
import { renderCommand } from './render.js';
import { rolloutCommand, rolloutCommands } from './rollout-command.js';
import { rolloutsCommand } from './rollouts.js';
import { serveCommand } from './serve.js';
import { stateCommand } from './state.js';
import { statusCommand } from './status.js';
import { tokenCommand } from './token.js';
import { validateCommand } from './validate.js';

/** Runs the command that `args` (without node and script) name; the result is the exit code. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  const here = sameHere(args[0]);
  if (here !== undefined) {
    io.say(`error: unknown command '${args[0]}'\n(Did you mean \`headgate ${here}\`?)`);
    return usageExitCode;
  }
  try {
    await buildProgram(io).parseAsync([...args], { from: 'user' });
    return io.exitCode;
  } catch (error) {
    const exitCode = explain(error, io);
    // Terraform's meaning: 2 is taken, so that a mistake is never read as "there are changes".
    return exitCode === usageExitCode && args.includes('--detailed-exitcode') ? 1 : exitCode;
  }
}

/** The whole tree of commands, which write to `io`. */
export function buildProgram(io: Io): Command {
  const program = new Command('headgate')
    .description('A GitOps mesh controller: a merged commit becomes Envoy traffic step by step.')
    .version(programVersion(), '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print help.')
    .helpCommand('help [command]', 'Print help for a command.')
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.say(text.replace(/\n$/, '')),
    });
  addHelp(program, [
    'headgate demo',
    'headgate validate mesh-repo-example',
    'headgate serve --repo https://git.example/mesh.git',
    'headgate status',
  ]);
  program.addCommand(
    completeCommand(io, () => program),
    { hidden: true },
  );
  const verbs = Object.keys(rolloutCommands) as RolloutCommand[];
  addGroup(program, 'Mesh repository:', [
    validateCommand(io),
    planCommand(io),
    commentCommand(io),
    importCommand(io),
    explainCommand(io),
  ]);
  addGroup(program, 'Controller:', [
    serveCommand(io),
    stateCommand(io),
    checkCommand(io),
    healthcheckCommand(io),
    notifyCommand(io),
    alertsCommand(io),
    tokenCommand(io),
    demoCommand(io),
    completionCommand(io),
  ]);
  addGroup(program, 'What happens:', [
    statusCommand(io),
    rolloutsCommand(io),
    proxiesCommand(io),
    historyCommand(io),
  ]);
  addGroup(
    program,
    'Rollouts:',
    verbs.map((verb) => rolloutCommand(verb, io)),
  );
  addGroup(program, 'Envoy:', [bootstrapCommand(io), proxyTokenCommand(io), renderCommand(io)]);
  return program;
}

function addGroup(program: Command, heading: string, commands: readonly Command[]): void {
  for (const command of commands) {
    settle(command, program, command.name());
    program.addCommand(command.helpGroup(heading));
  }
}

/** Gives `command` and its own commands the manners of the program. `path`: as it is typed. */
function settle(command: Command, program: Command, path: string): void {
  command
    .copyInheritedSettings(program)
    .helpOption('-h, --help', 'Print help.')
    .showHelpAfterError(`(see \`headgate ${path} --help\`)`);
  for (const inner of command.commands) {
    settle(inner, program, `${path} ${inner.name()}`);
  }
}

/** Says what went wrong, where commander has not; the result is the exit code. */
function explain(error: unknown, io: Io): number {
  if (error instanceof CommanderError) {
    // Help and version end in an exception too; they were asked for, unless no command was named.
    return error.exitCode === 0 ? 0 : usageExitCode;
  }
  if (error instanceof CliError || error instanceof OpError) {
    io.say(io.sayStyle.red(`headgate: ${errorText(error)}`));
    return error instanceof CliError ? error.exitCode : 1;
  }
  io.say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 1;
}
