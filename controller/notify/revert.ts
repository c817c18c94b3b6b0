/**
 * A way back for Git, too: when a rollout has rolled back, a branch with the revert of its commit and a
 * pull request that says what failed, with the figures. Nothing is merged: a person decides. Off unless the
 * operator names the repository and gives a token that may do this.
 *
 * Sources: GitHub REST "Create a pull request", GitLab "Create MR", Gitea Swagger `repoCreatePullRequest`,
 * Bitbucket Cloud 2.0 "Create a pull request".
 */
import type { ForgeProvider } from '../base/forge.js';
import { OpError } from '../base/op-error.js';
import { printable } from '../base/printable.js';
import type { Announcement } from '../loop/events.js';
import type { Clock } from '../loop/ports.js';
import { type ForgeTarget, forgeCalls } from './forge.js';
import type { Sink } from './sink.js';
import { cutTo, linkOf } from './words.js';

/** Puts the branch onto the Git server; one that is there already is left as it is. */
export type PushRevert = (revert: {
  /** The repository's name in the configuration; undefined: the only one. */
  readonly repository?: string;
  readonly commit: string;
  readonly newBranch: string;
  readonly message: string;
}) => Promise<{
  /** The branch that the pull request is for. */
  readonly base: string;
}>;

interface PullRequest {
  readonly title: string;
  readonly body: string;
  readonly head: string;
  readonly base: string;
}

interface Form {
  readonly path: (repository: string) => string;
  readonly body: (request: PullRequest) => object;
}

const titleMax = 200;
const bodyMax = 10_000;

export function createRevertSink(target: ForgeTarget, push: PushRevert, clock: Clock): Sink {
  const { name, repository, of, publicUrl } = target;
  const form = forms[target.provider];
  const ask = forgeCalls(target, clock);
  return {
    name,
    render: (announcement) =>
      isWanted(announcement, of)
        ? form.body({ ...describe(announcement, publicUrl), base: '(the branch deployed)' })
        : undefined,
    send: async (announcement) => {
      if (!isWanted(announcement, of)) {
        return;
      }
      const request = describe(announcement, publicUrl);
      const { id } = announcement.revision;
      const message = `${request.title}\n\nThis reverts commit ${id}.\n\n${announcement.text}\n`;
      const pushed = await push({ repository: of, commit: id, newBranch: request.head, message });
      try {
        await ask('POST', form.path(repository), form.body({ ...request, ...pushed }));
      } catch (error) {
        // 409 or 422 of a second attempt: the first one's answer was lost.
        if (!(error instanceof OpError && /already exists/i.test(error.message))) {
          throw error;
        }
      }
    },
  };
}

/** Only what health took back, of this repository: who aborts a rollout knows what to do. */
function isWanted({ event, rollout, revision }: Announcement, of: string | undefined): boolean {
  return (
    revision.repository === of &&
    event === 'rollout.rolledBack' &&
    rollout !== undefined &&
    /^[0-9a-f]{40,64}$/.test(revision.id)
  );
}

function describe(
  announcement: Announcement,
  publicUrl: string | undefined,
): Omit<PullRequest, 'base'> {
  const { rollout = '', revision, mesh, text, facts } = announcement;
  const link = linkOf(announcement, publicUrl);
  const lines = [
    `Rollout \`${rollout}\` of mesh \`${mesh}\` was rolled back:`,
    '',
    ...fenced([text, ...facts.map((fact) => `${fact.title}: ${fact.value}`)]),
    '',
    `Every proxy has what it had before. Git still asks for ${revision.id}, which is held: Headgate does ` +
      'not try it again. Merging this makes Git and the mesh agree; a commit that mends it does, too.',
    ...(link === undefined ? [] : ['', link.url]),
  ];
  return {
    title: cutTo(`Revert "${revision.title}"`, titleMax),
    body: lines.join('\n').slice(0, bodyMax),
    // A rollout's id holds a router's name, which is a DNS label, and a number.
    head: `headgate/revert-${rollout.replace(/[^A-Za-z0-9-]/g, '-')}`,
  };
}

/** Lines that Markdown shows as they are, whatever people wrote in them. */
function fenced(lines: readonly string[]): readonly string[] {
  return ['```', ...lines.map((line) => printable(line).replaceAll('```', "'''")), '```'];
}

const forms: Readonly<Record<ForgeProvider, Form>> = {
  github: {
    path: (repository) => `/repos/${repository}/pulls`,
    body: ({ title, body, head, base }) => ({ title, body, head, base }),
  },
  gitea: {
    path: (repository) => `/repos/${repository}/pulls`,
    body: ({ title, body, head, base }) => ({ title, body, head, base }),
  },
  gitlab: {
    path: (repository) => `/projects/${encodeURIComponent(repository)}/merge_requests`,
    body: ({ title, body, head, base }) => ({
      title,
      description: body,
      source_branch: head,
      target_branch: base,
      remove_source_branch: true,
    }),
  },
  bitbucket: {
    path: (repository) => `/repositories/${repository}/pullrequests`,
    body: ({ title, body, head, base }) => ({
      title,
      description: body,
      source: { branch: { name: head } },
      destination: { branch: { name: base } },
      close_source_branch: true,
    }),
  },
};
