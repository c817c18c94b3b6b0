/** Opens a page in the person's browser, where there is a person with one. */
import { spawn } from 'node:child_process';

export interface BrowserSearch {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** True where what is printed is seen by a person. */
  readonly isTerminal: boolean;
}

/**
 * The program that opens a page here; undefined in CI, over ssh, without a terminal and without a screen:
 * there the address alone is of use.
 */
export function browserProgram({ env, platform, isTerminal }: BrowserSearch): string | undefined {
  const isRemote = env.SSH_CONNECTION !== undefined;
  const isWatched = isTerminal && !env.CI && !isRemote;
  if (!isWatched) {
    return undefined;
  }
  if (platform === 'darwin') {
    return 'open';
  }
  const hasScreen = Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
  return platform === 'linux' && hasScreen ? 'xdg-open' : undefined;
}

/** Does nothing where the program is missing: the address was printed too. */
export function openBrowser(program: string, url: string): void {
  const child = spawn(program, [url], { stdio: 'ignore', detached: true });
  child.once('error', () => undefined);
  child.unref();
}
