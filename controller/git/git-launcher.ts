/**
 * simple-git's `binary` for commands that talk to a server: runs git as the leader of a process group
 * of its own and ends that whole group on SIGINT, which is what simple-git sends to abort. Git's
 * transports (`git-remote-https`, `ssh`, `index-pack`) outlive a `git fetch` that is killed alone, and
 * simple-git can neither start a group nor reach one. Standard input is a pipe from the controller: it
 * ends when the controller is gone, `kill -9` included, and git goes with it.
 */
import { spawn } from 'node:child_process';

// Before git is started, so that no signal can end the launcher and leave git behind.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, endGroup);
}
process.stdin.on('close', endGroup).resume();

const git = spawn('git', process.argv.slice(2), {
  detached: true,
  stdio: ['ignore', 'inherit', 'inherit'],
});

git.on('error', (error) => {
  process.stderr.write(`fatal: git cannot be started: ${error.message}\n`);
  process.exit(127);
});
git.on('exit', (code) => process.exit(code ?? 128));

function endGroup(): void {
  if (git.pid !== undefined) {
    try {
      process.kill(-git.pid, 'SIGKILL');
    } catch {
      // The group has ended by itself in the meantime; its exit is on the way to us.
    }
  }
}
