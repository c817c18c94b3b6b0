/** `headgate notify test`: what a target would get, and what became of sending it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startChatServer, status } from '../notify/chat-server.js';
import { withTempFolder } from '../support/temp-folder.js';
import { runHere } from './run-main.js';

const notify = suite('headgate notify test');

/** A config file whose targets all are at `url`. */
function configAt(folder: string, url: string): string {
  const path = join(folder, 'headgate.yaml');
  writeFileSync(join(folder, 'url'), url);
  writeFileSync(
    path,
    `publicUrl: https://headgate.example
notifications:
  slack: [{ name: team, urlFile: ${join(folder, 'url')} }]
  teams:
    - name: ops
      urlFile: ${join(folder, 'url')}
      templates: { rollout.paused: { title: "{{service}} of {{mesh}} stands still" } }
`,
  );
  return path;
}

notify('it sends to the named target alone, and says so', () =>
  withTempFolder(async (folder) => {
    const server = await startChatServer();
    const config = configAt(folder, server.url);
    const { code, stdout } = await runHere(['notify', 'test', 'ops', '--config', config]);
    await server.close();
    assert.equal({ code, stdout }, { code: 0, stdout: 'ops: delivered\n' });
    assert.is(server.requests.length, 1);
    assert.match(server.requests[0]?.body ?? '', '"AdaptiveCard"');
  }),
);

notify('a target that refuses is told with its words, and the exit code is 1', () =>
  withTempFolder(async (folder) => {
    const server = await startChatServer();
    server.answer(status(404, {}, 'no_service'));
    const { code, stdout } = await runHere([
      'notify',
      'test',
      '--config',
      configAt(folder, server.url),
    ]);
    await server.close();
    assert.is(code, 1);
    assert.is(stdout, 'team: HTTP 404: no_service\nops: HTTP 404: no_service\n');
  }),
);

notify('--dry-run prints the message and sends nothing', () =>
  withTempFolder(async (folder) => {
    const config = configAt(folder, 'http://127.0.0.1:1/none');
    const args = ['notify', 'test', 'team', '--dry-run', '--event', 'rollout.waitingForApproval'];
    const { code, stdout } = await runHere([...args, '--config', config]);
    assert.is(code, 0);
    const { blocks } = JSON.parse(stdout) as { blocks: { type: string }[] };
    assert.ok(blocks.some(({ type }) => type === 'actions'));
    assert.match(stdout, 'https://headgate.example/rollouts/reviews-0');
  }),
);

notify('a template shows in what would be sent', () =>
  withTempFolder(async (folder) => {
    const config = configAt(folder, 'http://127.0.0.1:1/none');
    const args = ['notify', 'test', 'ops', '--dry-run', '--event', 'rollout.paused'];
    const { code, stdout } = await runHere([...args, '--config', config]);
    assert.is(code, 0);
    assert.match(stdout, '⏸️ reviews of example stands still');
  }),
);

notify('a target that is not there is named with those that are', () =>
  withTempFolder(async (folder) => {
    const config = configAt(folder, 'http://127.0.0.1:1/none');
    const { code, stderr } = await runHere(['notify', 'test', 'nobody', '--config', config]);
    assert.is(code, 2);
    assert.match(stderr, 'there is no target nobody; known: team, ops');
  }),
);

notify.run();
