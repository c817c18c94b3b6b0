/**
 * A tutorial as a reader carries it out: files are written as they are shown, and commands typed into one
 * shell, in order. What a command prints is compared with what the tutorial shows, loosely: each shown
 * line must come; `…` stands for anything, and so does a commit's id.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Block =
  | { readonly kind: 'file'; readonly path: string; readonly text: string; readonly line: number }
  | {
      readonly kind: 'commands';
      readonly commands: readonly ShownCommand[];
      readonly line: number;
      /** Of the last command. */
      readonly exitCode: number;
    };

export interface ShownCommand {
  readonly text: string;
  readonly output: readonly string[];
}

/** The fenced blocks of `markdown`, in order. Throws where one is neither a file nor commands. */
export function blocksOf(markdown: string): readonly Block[] {
  const fences = markdown.matchAll(/^```(\S*) ?(.*)\n([\s\S]*?)^```$/gm);
  return [...fences].map((fence): Block => {
    const [, language = '', info = '', text = ''] = fence;
    const line = markdown.slice(0, fence.index).split('\n').length;
    const path = /^title=(\S+)$/.exec(info)?.[1];
    if (path !== undefined) {
      return { kind: 'file', path, text, line };
    }
    if (language !== 'console') {
      throw new Error(`line ${line}: a block is a file (title=PATH) or a console, not ${language}`);
    }
    const exitCode = Number(/^exit=(\d+)$/.exec(info)?.[1] ?? 0);
    return { kind: 'commands', commands: commandsOf(text), line, exitCode };
  });
}

function commandsOf(text: string): readonly ShownCommand[] {
  const commands: { text: string; output: string[] }[] = [];
  for (const line of text
    .trimEnd()
    .replace(/\\\n\s*/g, '')
    .split('\n')) {
    if (line.startsWith('$ ')) {
      commands.push({ text: line.slice(2), output: [] });
    } else {
      commands.at(-1)?.output.push(line);
    }
  }
  return commands;
}

/** True where each shown line comes in `printed`, in whatever order: Envoys connect in any. */
export function showsLike(shown: readonly string[], printed: string): boolean {
  const lines = printed.split('\n').map((line) => line.trim().replace(/\s+/g, ' '));
  return shown
    .filter((line) => line.trim() !== '…' && line.trim() !== '')
    .every((line) => lines.some((one) => patternOf(line).test(one)));
}

function patternOf(line: string): RegExp {
  const text = line
    .trim()
    .replace(/[ \t]+/g, ' ')
    .split(/ *… */)
    .map((part) =>
      part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\b[0-9a-f]{7}\b/g, '[0-9a-f]{7}'),
    )
    .join('.*');
  return new RegExp(`^${text}$`);
}

/** Commands that only look: a reader whose answer is not yet there asks again. */
const looking = /^(?:headgate (?:status|proxies|rollouts|history)\b|curl )/;

const lookAgainMs = 60_000;
const commandMs = 300_000;

export interface Ran {
  readonly output: string;
  readonly exitCode: number;
}

/** One shell for a whole tutorial. */
export class TutorialShell {
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;
  private text = '';
  private count = 0;

  constructor(folder: string, env: Readonly<Record<string, string | undefined>>) {
    // A process group of its own, so that what runs in the background ends with it.
    this.child = spawn('bash', ['--noprofile', '--norc'], {
      ...{ cwd: folder, env, detached: true },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.exited = once(this.child, 'exit');
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (more: string) => {
        this.text += more;
      });
    }
  }

  /** What `command` prints, with what the background printed meanwhile. */
  async run(command: string): Promise<Ran> {
    this.count += 1;
    const mark = `end-of-command-${this.count}`;
    const from = this.text.length;
    this.child.stdin?.write(`${command}\nprintf '${mark}=%s;\\n' "$?"\n`);
    const found = await this.wait(new RegExp(`${mark}=(\\d+);`), from, command);
    return {
      output: this.text.slice(from, found.index),
      exitCode: Number(found[1]),
    };
  }

  /** Runs it; asks again where it only looks and does not show what it should yet. */
  async runShown({ text, output }: ShownCommand, exitCode: number): Promise<void> {
    const startedMs = performance.now();
    for (;;) {
      const ran = await this.run(text);
      if (ran.exitCode === exitCode && showsLike(output, ran.output)) {
        return;
      }
      if (!looking.test(text) || performance.now() - startedMs > lookAgainMs) {
        const shown = output.join('\n');
        throw new Error(
          `$ ${text}\nended with ${ran.exitCode}, not ${exitCode}, or printed\n${ran.output}\nwhere the tutorial shows\n${shown}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  /** Carries out one block. */
  async carryOut(block: Block): Promise<void> {
    if (block.kind === 'file') {
      const { output } = await this.run('pwd');
      const path = join(output.trim().split('\n').at(-1) ?? '', block.path);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, block.text);
      return;
    }
    for (const [index, command] of block.commands.entries()) {
      const isLast = index === block.commands.length - 1;
      await this.runShown(command, isLast ? block.exitCode : 0);
    }
  }

  /** Ends the shell and all that it started. */
  async stop(): Promise<void> {
    const { pid, exitCode, signalCode } = this.child;
    // One that was killed has no exit code, and its number may be another's by now.
    if (pid !== undefined && exitCode === null && signalCode === null) {
      process.kill(-pid, 'SIGKILL');
    }
    await this.exited;
  }

  private async wait(
    pattern: RegExp,
    from: number,
    command: string,
  ): Promise<RegExpExecArray & { index: number }> {
    const startedMs = performance.now();
    for (;;) {
      const found = pattern.exec(this.text.slice(from));
      if (found !== null) {
        return Object.assign(found, { index: found.index + from });
      }
      if (performance.now() - startedMs > commandMs || this.child.exitCode !== null) {
        throw new Error(`$ ${command}\ndid not end; so far:\n${this.text.slice(from)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
