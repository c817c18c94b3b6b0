/**
 * The tutorials, carried out: each of their blocks, in order, with the program, real Envoys and real Git,
 * on ports that are free here. A reader who types what stands there sees what stands there.
 */
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePorts } from '../../controller/demo/free-ports.js';
import { envoyBinary } from '../support/envoy.js';
import { projectPath } from '../support/project.js';
import { blocksOf, showsLike, TutorialShell } from './tutorial.js';

/** Tutorials that go on where another ended are carried out after it. */
const courses = [['first-mesh.md', 'first-canary.md'], ['app-mesh-on-ecs.md']] as const;

/** Every port that a tutorial names. */
const ports = /\b(?:18000|8080|700[0-9]|900[0-9])\b/g;

const tutorials = suite<{ folder: string; shell: TutorialShell | undefined }>('tutorials');

tutorials.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-tutorial-'));
});

tutorials.after.each(async ({ folder, shell }) => {
  await shell?.stop();
  // Of those that were just killed one may still be writing.
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

/** A shell that has what a tutorial asks its reader to have. */
async function openShell(folder: string): Promise<TutorialShell> {
  const main = projectPath('dist/controller/main.js');
  writeFileSync(
    join(folder, 'headgate'),
    `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`,
    {
      mode: 0o755,
    },
  );
  symlinkSync(await envoyBinary(), join(folder, 'envoy'));
  symlinkSync(process.execPath, join(folder, 'node'));
  const author = { NAME: 'A Reader', EMAIL: 'reader@example.com' };
  return new TutorialShell(folder, {
    PATH: `${folder}:${process.env.PATH}`,
    HOME: folder,
    LC_ALL: 'C.UTF-8',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: author.NAME,
    GIT_AUTHOR_EMAIL: author.EMAIL,
    GIT_COMMITTER_NAME: author.NAME,
    GIT_COMMITTER_EMAIL: author.EMAIL,
  });
}

function readTutorial(name: string): string {
  return readFileSync(projectPath(`docs/tutorials/${name}`), 'utf8');
}

let blocksRun = 0;

for (const names of courses) {
  tutorials(names.join(', then '), async (context) => {
    const shell = await openShell(context.folder);
    context.shell = shell;
    const texts = names.map(readTutorial);
    const named = [...new Set(texts.flatMap((text) => text.match(ports) ?? []))];
    const free = await freePorts(named.length);
    const portOf = new Map(named.map((port, index) => [port, String(free[index])]));
    for (const [index, name] of names.entries()) {
      const text = (texts[index] ?? '').replace(ports, (port) => portOf.get(port) ?? port);
      for (const block of blocksOf(text)) {
        await shell.carryOut(block).catch((error: Error) => {
          throw new Error(`docs/tutorials/${name}:${block.line}: ${error.message}`);
        });
        blocksRun += 1;
      }
    }
  });
}

tutorials('each tutorial is carried out, and all their blocks were', () => {
  const listed = courses.flat().sort();
  assert.equal(readdirSync(projectPath('docs/tutorials')).sort(), listed);
  const all = listed.flatMap((name) => blocksOf(readTutorial(name)));
  assert.is(blocksRun, all.length);
  const commands = all.flatMap((block) => (block.kind === 'commands' ? block.commands : []));
  process.stdout.write(`  figures ${JSON.stringify({ blocksRun, commands: commands.length })}\n`);
});

tutorials('what is shown is compared line by line, with gaps, and with other commits', () => {
  const printed = 'COMMIT  STATE\nabc1234   synced\n  done in 3 s\n';
  assert.ok(showsLike(['0000000 synced', '…done…'], printed));
  assert.ok(showsLike([], printed));
  assert.ok(showsLike(['done in 3 s', 'COMMIT STATE'], printed));
  assert.not.ok(showsLike(['done'], printed));
  assert.not.ok(showsLike(['0000000 stale'], printed));
  assert.throws(() => blocksOf('```sh\nls\n```\n'), /a file \(title=PATH\) or a console/);
});

tutorials.run();
