/**
 * Push webhooks: a Git server says that something was pushed, and the repository is looked at now instead
 * of at the next poll. Nothing in the message is believed or even parsed: once it has proved that its
 * sender knows the secret, all it can do is what time would have done, so a replay is harmless.
 *
 * Sources: GitHub "Validating webhook deliveries" (`X-Hub-Signature-256`), GitLab "Webhooks: secret token"
 * (`X-Gitlab-Token`), Gitea and Forgejo "Webhooks" (`X-Gitea-Signature`, `X-Forgejo-Signature`), Bitbucket
 * Cloud "Manage webhooks: secure" (`X-Hub-Signature`). `generic` takes what our own webhooks send.
 */
import { createHash, createHmac, type Hmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import type { HookProvider } from '../config/hooks.js';
import type { Logger } from '../loop/ports.js';
import { shown } from './request.js';
import { HttpError } from './safety.js';

export interface HookOptions {
  /** Whoever signs with it, or shows it, may ask for a poll. A provider without one is refused. */
  readonly secrets: HookSecrets;
  /** The same for one repository alone, by its name; empty where there is only one. */
  readonly repositories: ReadonlyMap<string, HookSecrets>;
  /** Several calls become one poll. Undefined: of every repository. */
  readonly pollNow: (repository?: string) => void;
  readonly logger: Logger;
}

export type HookSecrets = Readonly<Partial<Record<HookProvider, string>>>;

/** GitHub sends no more (25 MB). The body only passes through a hash, so none of it is kept. */
export const hookBytesMax = 25 * 1024 * 1024;

interface Proof {
  /** Headers of which one holds the body's HMAC with SHA-256, in hexadecimal, some behind `sha256=`. */
  readonly signatures: readonly string[];
  /** The secret itself, where the provider just shows it; undefined where it never does. */
  readonly token?: (headers: IncomingHttpHeaders) => string | undefined;
}

const proofs: Readonly<Record<HookProvider, Proof>> = {
  github: { signatures: ['x-hub-signature-256'] },
  gitlab: { signatures: [], token: (headers) => textOf(headers['x-gitlab-token']) },
  gitea: { signatures: ['x-gitea-signature', 'x-forgejo-signature', 'x-hub-signature-256'] },
  bitbucket: { signatures: ['x-hub-signature'] },
  generic: {
    signatures: ['x-signature'],
    token: ({ authorization }) => /^Bearer (.+)$/i.exec(authorization ?? '')?.[1],
  },
};

/** Forgejo sends what Gitea does. */
const aliases: Readonly<Record<string, HookProvider>> = { forgejo: 'gitea' };

/**
 * Answers `POST /api/v1/hooks/:provider`, which is for all repositories, and `…/:provider/:repository`,
 * which is for one, with 202, or says why not.
 */
export function hookHandler(options: HookOptions): RequestHandler {
  const { pollNow, logger } = options;
  return async (request, response) => {
    const named = String(request.params.provider);
    const provider = Object.hasOwn(aliases, named) ? aliases[named] : (named as HookProvider);
    if (provider === undefined || !Object.hasOwn(proofs, provider)) {
      const known = [...Object.keys(proofs), ...Object.keys(aliases)].join(', ');
      throw new HttpError(404, 'unknown-provider', `hooks are known for ${known}`);
    }
    const repository = textOf(request.params.repository);
    const secret = secretOf(options, provider, repository);
    if (secret === undefined) {
      const message = `no secret is configured for ${provider}; set hooks.${provider}.secretFile`;
      throw new HttpError(404, 'hook-not-configured', message);
    }
    const hmac = createHmac('sha256', secret);
    await passThrough(request, hmac);
    if (!isProved(proofs[provider], request.headers, hmac, secret)) {
      logger.warn('hook.refused', { provider, peer: request.socket.remoteAddress });
      throw new HttpError(401, 'bad-signature', 'the signature or token is missing or wrong');
    }
    pollNow(repository);
    logger.info('hook.received', { provider, repository });
    response.status(202).json({ polling: true });
  };
}

/** A repository's own secret goes before that of all, and asks for no other. */
function secretOf(
  { secrets, repositories }: HookOptions,
  provider: HookProvider,
  repository: string | undefined,
): string | undefined {
  if (repository === undefined) {
    return secrets[provider];
  }
  const own = repositories.get(repository);
  if (own === undefined) {
    throw new HttpError(404, 'unknown-repository', `there is no repository ${shown(repository)}`);
  }
  return own[provider] ?? secrets[provider];
}

/** Reads the body into `hmac`. One that is too long is refused at once; what else comes of it is dropped. */
function passThrough(request: IncomingMessage, hmac: Hmac): Promise<void> {
  const tooLarge = new HttpError(413, 'too-large', `a hook has at most ${hookBytesMax} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > hookBytesMax) {
    return Promise.reject(tooLarge);
  }
  return new Promise((resolve, reject) => {
    let size = 0;
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > hookBytesMax) {
        request.off('data', take).resume();
        reject(tooLarge);
      } else {
        hmac.update(chunk);
      }
    };
    request.on('data', take).on('end', resolve).on('error', reject);
  });
}

function isProved(proof: Proof, headers: IncomingHttpHeaders, hmac: Hmac, secret: string): boolean {
  const digest = hmac.digest('hex');
  const signatures = proof.signatures.flatMap((name) => textOf(headers[name]) ?? []);
  const token = proof.token?.(headers);
  return (
    signatures.some((given) => isSame(given.replace(/^sha256=/, '').toLowerCase(), digest)) ||
    (token !== undefined && isSame(token, secret))
  );
}

/** Compares in a time that tells nothing of where the texts differ, nor of how long they are. */
function isSame(left: string, right: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(left), hash(right));
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
