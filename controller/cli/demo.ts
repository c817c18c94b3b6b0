/** `headgate demo`: the whole story on this machine, with real Envoys. */
import { Command, Option } from 'commander';
import { renderHeadline } from './headline.js';
import type { Io } from './io.js';
import { addHelp } from './options.js';
import { untilStopped } from './signals.js';

interface DemoCommandOptions {
  readonly envoy?: string;
  readonly exit?: boolean;
  readonly open: boolean;
}

export function demoCommand(io: Io): Command {
  const command = new Command('demo')
    .summary('tell the story with real Envoys')
    .description(
      'Runs a controller, real Envoys and a load on this machine, and shows a good release that is ' +
        'promoted and a bad one that is rolled back. Everything is removed in the end.',
    )
    .addOption(
      new Option('--envoy <file>', 'Envoy to use (default: one that is found, or fetched).'),
    )
    .addOption(new Option('--exit', 'End after the story instead of waiting for Ctrl-C.'))
    .addOption(new Option('--no-open', "Print the page's address and open no browser."))
    .action(async ({ envoy, exit = false, open }: DemoCommandOptions) => {
      const stop = new AbortController();
      void untilStopped().then(() => stop.abort());
      const { runDemo } = await import('../demo/demo.js');
      const say = (line: string) => io.out(`${line}\n`);
      const { browserProgram, openBrowser } = await import('../demo/open-browser.js');
      const { env, isTerminal } = io;
      const browser = browserProgram({ env, platform: process.platform, isTerminal });
      const show =
        open && !exit && browser !== undefined
          ? (url: string) => openBrowser(browser, url)
          : undefined;
      // npm and npx run it from a folder; neither puts it on the PATH.
      const program = env.npm_lifecycle_event === undefined ? 'headgate' : 'npx headgate';
      io.exitCode = await runDemo({
        ...{ envoy, exit, program, say, show, signal: stop.signal },
        headlineOf: (status) => renderHeadline(status, io.outStyle).trimEnd(),
      });
    });
  return addHelp(
    command,
    ['headgate demo', 'headgate demo --exit --envoy /usr/local/bin/envoy'],
    ['0  all went as told', '1  something did not', '2  the command line is wrong'],
  );
}
