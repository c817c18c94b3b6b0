/**
 * `--beside NAME=WHERE`: the other repositories of a mesh that comes from several, for commands that look at
 * one of them.
 */
import { statSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { onlyRepository, type Revision } from '../base/revision.js';
import { type SettingName, variableOf } from '../config/table.js';
import { type Io, usageExitCode } from './io.js';
import { showElapsed } from './progress.js';
import { readDirectoryOrFail } from './read-mesh.js';

/** One value of the option: a directory as it is, or a repository at a revision. */
export interface Beside {
  readonly name: string;
  readonly where: string;
  /** A branch, a tag or a commit; the head where nothing is said. */
  readonly revision: string;
}

export function addBesideOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--beside <name=url|dir[#rev]>',
      'Another repository that the mesh comes from; may be given several times.',
    ).argParser(readOption),
  );
}

function readOption(text: string, before: readonly Beside[] = []): readonly Beside[] {
  const [, name = '', where = '', revision = 'HEAD'] =
    /^([a-z0-9][a-z0-9-]*)=([^#]+)(?:#(.+))?$/.exec(text) ?? [];
  if (name === onlyRepository) {
    throw new InvalidArgumentError('It has the form NAME=URL, NAME=DIR or NAME=URL#BRANCH.');
  }
  return [...before, { name, where, revision }];
}

/** The files of `beside`, each as the repository of its name. */
export async function readBeside(
  beside: readonly Beside[] = [],
  io: Io,
): Promise<readonly Revision[]> {
  const { readRevision } = await import('../git/read-revision.js');
  const { isPlainDirectory } = await import('../git/open-source.js');
  const { createClock } = await import('../clock.js');
  const credentials = readCredentials(io.env);
  return Promise.all(
    beside.map(async ({ name, where: repo, revision }) => {
      const isFolder = isPlainDirectory(repo) || (revision === 'HEAD' && isWorkTree(repo));
      const read = isFolder
        ? await readDirectoryOrFail(repo, usageExitCode)
        : await showElapsed(`fetching ${revision} of ${repo}`, io, () =>
            readRevision({ repo, revision, path: '.', credentials }, { clock: createClock() }),
          );
      return { ...read, repository: name };
    }),
  );
}

/** As it stands, with what is not committed yet: so is the directory that is looked at. */
function isWorkTree(path: string): boolean {
  return statSync(`${path}/.git`, { throwIfNoEntry: false }) !== undefined;
}

/** By the variables of `serve`. */
export function readCredentials(env: Io['env']) {
  const read = (name: SettingName) => env[variableOf(name)] || undefined;
  return {
    tokenFile: read('gitTokenFile'),
    username: read('gitUsername'),
    caFile: read('gitCaFile'),
    keyFile: read('gitKeyFile'),
    knownHostsFile: read('gitKnownHostsFile'),
  };
}
