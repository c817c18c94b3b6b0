/**
 * What a person can do to the demo's world by pressing a button: releases good and bad, a mistake in the
 * YAML, Git gone, an Envoy gone. Each does what a person would type, and shows it. One at a time, and none
 * before the story has been told, whose expectations it would spoil.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../base/op-error.js';
import type { Board } from './board.js';
import type { Fleet } from './fleet.js';
import { badVersion, checkout, routeFile } from './mesh-files.js';
import type { DemoRepository, Ran } from './repository.js';
import type { ButtonView, DemoAction } from './view.js';

export interface ControlsOptions {
  readonly board: Board;
  readonly repository: DemoRepository;
  readonly fleet: Fleet;
}

/** What Git asks for now, by the newest commit. */
interface Asked {
  readonly version: string;
  readonly isBroken: boolean;
}

/** A key that no schema has, and whose meant name is near. */
const typo = { right: 'weight:', wrong: 'wieght:' } as const;

export class Controls {
  private readonly options: ControlsOptions;
  private asked: Asked = { version: 'v1', isBroken: false };
  /** The good version that was asked for last. */
  private good = 'v1';
  private isOpen = false;
  private isBusy = false;
  private isGitAway = false;
  /** The Envoy that was killed and not brought back. */
  private killed: string | undefined;

  constructor(options: ControlsOptions) {
    this.options = options;
    this.show();
  }

  /** From now on the buttons are the person's. */
  async open(): Promise<void> {
    this.isOpen = true;
    await this.look();
  }

  /** Why `action` cannot be asked for now; undefined where it can. */
  refusal(action: DemoAction): string | undefined {
    if (!this.isOpen) {
      return 'the story is told first; then it is your turn';
    }
    if (this.isBusy) {
      return 'the last one is still under way';
    }
    const { version, isBroken } = this.asked;
    const isBad = version === badVersion;
    if (action === 'git' || action === 'proxy') {
      return undefined;
    }
    if (this.isGitAway) {
      return 'nobody can push while Git is stopped';
    }
    if (action === 'revert' && !isBad && !isBroken) {
      return 'there is nothing to take back';
    }
    if ((action === 'bad' || action === 'break') && (isBad || isBroken)) {
      return 'take back the last mistake first';
    }
    return undefined;
  }

  /** Does it, and shows what was run, also where it failed. Call it only where nothing refuses it. */
  async press(action: DemoAction): Promise<void> {
    this.isBusy = true;
    this.show();
    try {
      await this.act(action);
    } catch (error) {
      const { command, text } = failureOf(error, action);
      this.options.board.addRan({ command, output: text }, { isError: true });
    }
    this.isBusy = false;
    await this.look();
  }

  private async act(action: DemoAction): Promise<void> {
    const { repository, board } = this.options;
    switch (action) {
      case 'good':
        await this.commit(`checkout: ${this.good} → ${this.next()}`, checkout(this.next()));
        break;
      case 'bad':
        await this.commit(
          `checkout: ${this.good} → ${badVersion} (every third answer is an error)`,
          checkout(badVersion),
        );
        break;
      case 'break': {
        const text = checkout(this.good).replace(typo.right, typo.wrong);
        await this.commit('checkout: a typing mistake', text);
        break;
      }
      case 'revert':
        await repository.revert();
        break;
      case 'git':
        await repository.setReachable(this.isGitAway);
        this.isGitAway = !this.isGitAway;
        break;
      case 'proxy':
        board.addRan(await this.toggleProxy());
        break;
    }
  }

  private async commit(message: string, text: string): Promise<void> {
    await this.options.repository.commit(message, { [routeFile]: text });
  }

  private async toggleProxy(): Promise<Ran> {
    const { fleet } = this.options;
    if (this.killed !== undefined) {
      const ran = await fleet.bringBack(this.killed);
      this.killed = undefined;
      return ran;
    }
    const name = fleet.lastOf(`checkout-${this.good}`);
    if (name === undefined) {
      throw new Error(`assertion failed: no Envoy of checkout-${this.good} runs`);
    }
    const ran = await fleet.kill(name);
    this.killed = name;
    return ran;
  }

  private next(): string {
    return this.good === 'v2' ? 'v1' : 'v2';
  }

  /** Reads what Git asks for from the file itself, which the person may have edited too. */
  private async look(): Promise<void> {
    const path = join(this.options.repository.clone, routeFile);
    const text = await readFile(path, 'utf8').catch(() => '');
    const version = /name: checkout-(v\d)/.exec(text)?.[1] ?? this.asked.version;
    this.asked = { version, isBroken: text.includes(typo.wrong) };
    this.good = version === badVersion ? this.good : version;
    this.show();
  }

  private show(): void {
    this.options.board.setButtons(
      this.texts().map((button) => ({ ...button, refusal: this.refusal(button.action) })),
    );
  }

  private texts(): readonly ButtonView[] {
    return [
      {
        action: 'good',
        label: `Commit a good release: ${this.next()}`,
        what: 'It is promoted step by step: 10, 25, 50, 100 %.',
      },
      {
        action: 'bad',
        label: `Commit a bad release: ${badVersion}`,
        what: 'Every third answer is an error. One gate sees it, and all comes back.',
      },
      {
        action: 'break',
        label: 'Break the YAML',
        what: 'Refused with file and line; what was served stays.',
      },
      {
        action: 'revert',
        label: 'git revert',
        what: 'Takes the mistake out of Git too.',
      },
      {
        action: 'git',
        label: this.isGitAway ? 'Start Git again' : 'Stop Git',
        what: this.isGitAway
          ? 'It is read again by itself.'
          : 'Nothing that is served depends on it.',
      },
      {
        action: 'proxy',
        label: this.killed === undefined ? 'Kill a proxy' : 'Bring the proxy back',
        what:
          this.killed === undefined
            ? 'kill -9, in mid-traffic. Requests go to the other one, at first by a retry.'
            : 'It is given everything again, and gets its share.',
      },
    ];
  }
}

/** What `execFile` throws holds the command and what it said. */
function failureOf(error: unknown, action: DemoAction): { command: string; text: string } {
  const { cmd, stderr } = (error ?? {}) as { cmd?: string; stderr?: string };
  return { command: cmd ?? action, text: stderr?.trim() || errorText(error) };
}
