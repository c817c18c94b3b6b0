/**
 * The servers that keep Git repositories and their pull requests, and how each is told who asks.
 *
 * Sources: GitHub REST "Authenticating" and "API versions", GitLab "REST API authentication", Gitea (and
 * Forgejo) "API usage", Bitbucket Cloud "Authentication methods".
 */

export const forgeProviders = ['github', 'gitlab', 'gitea', 'bitbucket'] as const;

/** `gitea` is Forgejo, too. */
export type ForgeProvider = (typeof forgeProviders)[number];

/** The headers of every call; `token` is a secret. */
export function forgeHeaders(
  provider: ForgeProvider,
  token: string,
): Readonly<Record<string, string>> {
  switch (provider) {
    case 'github':
      return {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${token}`,
        'x-github-api-version': '2022-11-28',
      };
    case 'gitlab':
      return { accept: 'application/json', 'private-token': token };
    case 'gitea':
      return { accept: 'application/json', authorization: `token ${token}` };
    case 'bitbucket':
      return { accept: 'application/json', authorization: `Bearer ${token}` };
  }
}
