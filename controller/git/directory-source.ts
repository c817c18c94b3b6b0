/**
 * A plain directory → revisions: it is read when chokidar reports a change that has settled, and at
 * every poll interval besides, since file events are lost on network disks and at the system's limits.
 */
import { basename } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { errorText } from '../base/op-error.js';
import type { Revision } from '../base/revision.js';
import type { Source } from '../loop/ports.js';
import { readListed } from './directory.js';
import { listDirectory } from './directory-listing.js';
import {
  defaultSourceLimits,
  defaultSourceTimings,
  type SourceLimits,
  type SourceTimings,
} from './limits.js';
import { createPoller, type SourceDeps } from './poller.js';
import { checkPath } from './repository.js';

export interface DirectorySourceSettings {
  readonly directory: string;
  /** Folder of the mesh inside the directory; `.` is the directory itself. */
  readonly path: string;
  /** Milliseconds between two readings of a directory that reports no change. */
  readonly pollMs: number;
  readonly limits?: SourceLimits;
  readonly timings?: SourceTimings;
}

/** @throws OpError `path-refused` (stalled) at once, for a path that leaves the directory. */
export function createDirectorySource(settings: DirectorySourceSettings, deps: SourceDeps): Source {
  const { directory, limits = defaultSourceLimits, timings = defaultSourceTimings } = settings;
  const path = checkPath(settings.path);
  let watcher: FSWatcher | undefined;
  let cancelDebounce = (): void => {};
  let knownFingerprint: string | undefined;
  let known: Revision | undefined;

  const readIfChanged = async (): Promise<Revision | undefined> => {
    const listing = await listDirectory(directory, path, limits);
    if (listing.fingerprint === knownFingerprint) {
      return undefined;
    }
    const revision = await readListed(listing, known?.files);
    if (revision === undefined) {
      // Somebody is writing there; once that has settled there is something to read.
      pollSoon();
      return undefined;
    }
    knownFingerprint = listing.fingerprint;
    const isNew = revision.id !== known?.id;
    known = revision;
    return isNew ? revision : undefined;
  };
  const poller = createPoller({
    ...deps,
    pollMs: settings.pollMs,
    timings,
    poll: readIfChanged,
    async close() {
      cancelDebounce();
      await watcher?.close();
    },
  });
  const pollSoon = (): void => {
    cancelDebounce();
    cancelDebounce = deps.clock.after(timings.debounceMs, () => poller.pollNow());
  };
  return {
    start(onEvent) {
      watcher = watchFolder(directory, pollSoon, (error) => {
        deps.logger.warn('source.watchFailed', { directory, message: errorText(error) });
      });
      poller.start(onEvent);
    },
    pollNow: () => poller.pollNow(),
    stop: () => poller.stop(),
  };
}

function watchFolder(
  directory: string,
  onChange: () => void,
  onError: (error: unknown) => void,
): FSWatcher {
  const watcher = watch(directory, {
    ignoreInitial: true,
    followSymlinks: false,
    // Folders of tools, as `.git`, change all the time and have no say in the mesh.
    ignored: (path) => path !== directory && basename(path).startsWith('.'),
  });
  // What happened before it was ready was not reported.
  return watcher.on('all', onChange).on('ready', onChange).on('error', onError);
}
