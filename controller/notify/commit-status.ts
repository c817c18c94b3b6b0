/**
 * Announcements as statuses of the commit that they are about, by the API of the server that keeps the
 * repository: where its authors look first. The same status is never posted twice: what stands there is
 * asked for before. Announcements without a status for a commit pass by.
 *
 * Sources: GitHub REST "Commit statuses" (2022-11-28), GitLab "Commits API: set commit pipeline status",
 * Gitea and Forgejo Swagger `repoCreateStatus`, Bitbucket Cloud "Commit statuses" 2.0.
 */
import { createHash } from 'node:crypto';
import type { ForgeProvider } from '../base/forge.js';
import { OpError } from '../base/op-error.js';
import type { Announcement, CommitStatus } from '../loop/events.js';
import type { Clock } from '../loop/ports.js';
import { type ForgeTarget, forgeCalls } from './forge.js';
import type { Sink } from './sink.js';
import { cutTo, linkOf } from './words.js';

/** GitHub refuses more than 140 characters of description; the others have room for it. */
const descriptionMax = 140;

/** Bitbucket's limit for a key, which longer contexts are hashed to. */
const bitbucketKeyMax = 40;

/** A status as it is to be, in words of no provider. */
interface Wanted extends CommitStatus {
  readonly commit: string;
  /** Undefined where there is nothing to link to. */
  readonly url?: string;
}

interface Form {
  /** Path and query of the question for what stands there. */
  readonly readPath: (repository: string, wanted: Wanted) => string;
  /** True where the answer to it holds the wanted status already. */
  readonly isPosted: (answer: unknown, wanted: Wanted) => boolean;
  readonly writePath: (repository: string, wanted: Wanted) => string;
  readonly body: (wanted: Wanted) => object;
}

export function createCommitStatusSink(target: ForgeTarget, clock: Clock): Sink {
  const { name, repository, of, publicUrl } = target;
  const form = forms[target.provider];
  const ask = forgeCalls(target, clock);
  return {
    name,
    render: (announcement) => {
      const wanted = wantedOf(announcement, { of, publicUrl });
      return wanted === undefined ? undefined : form.body(wanted);
    },
    send: async (announcement) => {
      const wanted = wantedOf(announcement, { of, publicUrl });
      if (
        wanted === undefined ||
        (await isPosted(() => ask('GET', form.readPath(repository, wanted)), form, wanted))
      ) {
        return;
      }
      try {
        await ask('POST', form.writePath(repository, wanted), form.body(wanted));
      } catch (error) {
        // GitLab's way of saying that the status is that already.
        if (!(error instanceof OpError && /Cannot transition status/i.test(error.message))) {
          throw error;
        }
      }
    },
  };
}

/**
 * Undefined for what is about no commit of the target's repository: a plain directory has revisions without
 * one.
 */
function wantedOf(
  announcement: Announcement,
  { of, publicUrl }: Pick<ForgeTarget, 'of' | 'publicUrl'>,
): Wanted | undefined {
  const { commit, revision } = announcement;
  return commit === undefined ||
    revision.repository !== of ||
    !/^[0-9a-f]{40,64}$/.test(revision.id)
    ? undefined
    : {
        ...commit,
        description: cutTo(commit.description, descriptionMax),
        commit: revision.id,
        url: linkOf(announcement, publicUrl)?.url,
      };
}

/** What cannot be read, or is not there yet, is written; what cannot be reached is an error. */
async function isPosted(read: () => Promise<string>, form: Form, wanted: Wanted): Promise<boolean> {
  try {
    return form.isPosted(JSON.parse(await read()), wanted);
  } catch (error) {
    if (
      error instanceof SyntaxError ||
      (error instanceof OpError && error.retry.kind === 'stalled')
    ) {
      return false;
    }
    throw error;
  }
}

const forms: Readonly<Record<ForgeProvider, Form>> = {
  github: {
    readPath: (repository, { commit }) =>
      `/repos/${repository}/commits/${commit}/status?per_page=100`,
    isPosted: (answer, wanted) => hasStatus(listIn(answer, 'statuses'), 'state', wanted),
    writePath: (repository, { commit }) => `/repos/${repository}/statuses/${commit}`,
    body: plainBody,
  },
  gitea: {
    readPath: (repository, { commit }) => `/repos/${repository}/commits/${commit}/status`,
    isPosted: (answer, wanted) => hasStatus(listIn(answer, 'statuses'), 'status', wanted),
    writePath: (repository, { commit }) => `/repos/${repository}/statuses/${commit}`,
    body: plainBody,
  },
  gitlab: {
    readPath: (repository, { commit, context }) =>
      `/projects/${encodeURIComponent(repository)}/repository/commits/${commit}/statuses` +
      `?name=${encodeURIComponent(context)}`,
    isPosted: (answer, wanted) =>
      listIn(answer).some(
        ({ name, status, description }) =>
          name === wanted.context &&
          status === gitlabState[wanted.state] &&
          description === wanted.description,
      ),
    writePath: (repository, { commit }) =>
      `/projects/${encodeURIComponent(repository)}/statuses/${commit}`,
    body: ({ state, context, description, url }) => ({
      state: gitlabState[state],
      name: context,
      description,
      target_url: url,
    }),
  },
  bitbucket: {
    readPath: (repository, wanted) =>
      `${bitbucketPath(repository, wanted)}/${encodeURIComponent(bitbucketKey(wanted.context))}`,
    isPosted: (answer, wanted) => {
      const [{ state, description } = {}] = listIn([answer]);
      return state === bitbucketState[wanted.state] && description === wanted.description;
    },
    writePath: bitbucketPath,
    body: ({ state, context, description, url, commit }) => ({
      key: bitbucketKey(context),
      state: bitbucketState[state],
      name: context,
      description,
      // Bitbucket wants one always.
      url: url ?? `https://headgate.invalid/${commit}`,
    }),
  },
};

/** As GitHub wrote it first and Gitea took it over. */
function plainBody({ state, context, description, url }: Wanted): object {
  return { state, context, description, target_url: url };
}

const gitlabState: Readonly<Record<CommitStatus['state'], string>> = {
  pending: 'running',
  success: 'success',
  failure: 'failed',
  error: 'canceled',
};

const bitbucketState: Readonly<Record<CommitStatus['state'], string>> = {
  pending: 'INPROGRESS',
  success: 'SUCCESSFUL',
  failure: 'FAILED',
  error: 'STOPPED',
};

function bitbucketPath(repository: string, { commit }: Wanted): string {
  return `/repositories/${repository}/commit/${commit}/statuses/build`;
}

function bitbucketKey(context: string): string {
  return context.length <= bitbucketKeyMax
    ? context
    : createHash('sha256').update(context).digest('hex').slice(0, bitbucketKeyMax);
}

/** GitHub and Gitea answer with the newest status of each context. */
function hasStatus(
  statuses: readonly Readonly<Record<string, unknown>>[],
  stateKey: 'state' | 'status',
  { context, state, description }: Wanted,
): boolean {
  return statuses.some(
    (status) =>
      status.context === context &&
      status[stateKey] === state &&
      status.description === description,
  );
}

/** The objects of the list at `key` of an answer, or of the answer itself; empty where there is none. */
function listIn(answer: unknown, key?: string): readonly Readonly<Record<string, unknown>>[] {
  const value = key === undefined ? answer : (answer as Record<string, unknown> | null)?.[key];
  return Array.isArray(value)
    ? value.filter((item) => typeof item === 'object' && item !== null)
    : [];
}
