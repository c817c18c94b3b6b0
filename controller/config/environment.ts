/**
 * One chat target, one webhook and the secrets of push webhooks straight from the environment, for containers without a config file.
 * Each secret is the variable's own text or, by the `_FILE` form that container secrets use, a file's.
 */
import { type HookSettings, hookProviders } from './hooks.js';
import type { NotificationTarget } from './notifications.js';
import type { SecretSource } from './secret-source.js';

/** The targets named `slack` and `webhook`, where their variables are set. */
export function targetsFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): readonly NotificationTarget[] {
  const slackUrl = secretFrom(env, 'HEADGATE_SLACK_URL');
  const webhookUrl = secretFrom(env, 'HEADGATE_WEBHOOK_URL');
  const secret = secretFrom(env, 'HEADGATE_WEBHOOK_SECRET');
  return [
    ...(slackUrl === undefined ? [] : [{ name: 'slack', kind: 'slack', url: slackUrl } as const]),
    ...(webhookUrl === undefined
      ? []
      : [{ name: 'webhook', kind: 'webhook', url: webhookUrl, secret } as const]),
  ];
}

/** The hooks whose secret stands in `HEADGATE_GITHUB_HOOK_SECRET` or the file that `…_FILE` names. */
export function hooksFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): HookSettings {
  const entries = hookProviders.flatMap((provider) => {
    const secret = secretFrom(env, `HEADGATE_${provider.toUpperCase()}_HOOK_SECRET`);
    return secret === undefined ? [] : [[provider, secret] as const];
  });
  return Object.fromEntries(entries);
}

/** The variables of one secret, by name; those that are not set are absent. */
export interface SecretVariables {
  /** As variables have it: capitals, digits and underscores. */
  readonly name: string;
  readonly chain?: string;
  readonly key?: string;
  readonly authorities?: string;
}

/** What a variable with a part of a secret begins with, behind `HEADGATE_`. */
export const secretVariableKinds = ['TLS_CRT', 'TLS_KEY', 'CA_CRT'] as const;

/**
 * Secrets of proxies, as containers are given them: `HEADGATE_TLS_CRT_NAME`, `HEADGATE_TLS_KEY_NAME` and
 * `HEADGATE_CA_CRT_NAME` are what the files tls.crt, tls.key and ca.crt are in a folder. Sorted by name.
 */
export function secretVariablesOf(
  env: Readonly<Record<string, string | undefined>>,
): readonly SecretVariables[] {
  const found = Object.keys(env).flatMap((variable) => {
    const kind = secretVariableKinds.find((each) => variable.startsWith(`HEADGATE_${each}_`));
    const name = kind === undefined ? '' : variable.slice(`HEADGATE_${kind}_`.length);
    return /^[A-Z0-9_]+$/.test(name) && env[variable] ? [name] : [];
  });
  const set = (variable: string) => (env[variable] ? variable : undefined);
  return [...new Set(found)].sort().map((name) => ({
    name,
    chain: set(`HEADGATE_TLS_CRT_${name}`),
    key: set(`HEADGATE_TLS_KEY_${name}`),
    authorities: set(`HEADGATE_CA_CRT_${name}`),
  }));
}

/** The file wins over the variable: who sets both has moved the secret out of the environment. */
function secretFrom(
  env: Readonly<Record<string, string | undefined>>,
  variable: string,
): SecretSource | undefined {
  const path = env[`${variable}_FILE`];
  if (path) {
    return { kind: 'file', path };
  }
  return env[variable] ? { kind: 'environment', variable } : undefined;
}
