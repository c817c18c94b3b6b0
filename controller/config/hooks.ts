/** The config file's `hooks`: whose push webhooks are taken, and where the secret of each stands. */
import { isSection, type ReportKey, reportUnknownKeys } from './keys.js';
import { requireSecretSource, type SecretSource } from './secret-source.js';

/** `gitea` is Forgejo, too. */
export const hookProviders = ['github', 'gitlab', 'gitea', 'bitbucket', 'generic'] as const;

export type HookProvider = (typeof hookProviders)[number];

/** A provider that is left out is refused. */
export type HookSettings = Readonly<Partial<Record<HookProvider, SecretSource>>>;

/** The secrets of `value`, which stands at `at`; what cannot be used is reported and left out. */
export function readHooks(value: unknown, report: ReportKey, at = 'hooks'): HookSettings {
  if (value === undefined || value === null) {
    return {};
  }
  if (!isSection(value)) {
    report(at, `is no mapping with ${hookProviders.join(', ')}`);
    return {};
  }
  reportUnknownKeys(at, value, hookProviders, report);
  const entries = hookProviders.flatMap((provider) => {
    const path = `${at}.${provider}`;
    const hook = value[provider];
    if (hook === undefined) {
      return [];
    }
    if (!isSection(hook)) {
      report(path, 'is no mapping with secretFile or secretEnv');
      return [];
    }
    reportUnknownKeys(path, hook, ['secretFile', 'secretEnv'], report);
    const secret = requireSecretSource(path, hook, 'secret', report);
    return secret === undefined ? [] : [[provider, secret] as const];
  });
  return Object.fromEntries(entries);
}
