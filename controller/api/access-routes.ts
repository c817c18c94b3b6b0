/**
 * Access over HTTP: which requests must show who sends them, and how a browser signs in and out. Tokens
 * come in the header `Authorization: Bearer`, sessions in a cookie that scripts cannot read; a command on
 * the strength of a cookie must carry the session's CSRF token besides.
 */
import { type Express, json, type Request, type RequestHandler, type Response } from 'express';
import type { Access, SignInMethod } from '../access/access.js';
import type { OidcAttempt } from '../access/oidc.js';
import { createRateLimit, type RateLimit, windowMs } from '../access/rate-limit.js';
import type { Principal } from '../access/role.js';
import { isEqual, sessionMs } from '../access/sessions.js';
import { errorText, OpError } from '../base/op-error.js';
import type { Clock, Logger } from '../loop/ports.js';
import { get, route } from './request.js';
import { bodyBytesMax, checkContentType, checkOrigin, HttpError } from './safety.js';
import type { SessionView } from './session-view.js';

export interface AccessOptions {
  readonly access: Access;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Wrong tokens from one address in a minute; a person mistypes twice. */
const failuresPerMinute = 10;

/** Commands of one person in a minute: more is a script that has gone wrong. */
const commandsPerMinute = 60;

/** How long a person may take at the provider. */
const attemptMs = 10 * 60_000;

const callbackPath = '/api/v1/session/oidc/callback';

export interface Guard {
  /** Lets through who may read. */
  readonly viewer: RequestHandler;
  /** Lets through who may command, so often as a person does. */
  readonly operator: RequestHandler;
}

/** Who sends `request`, which a guard let through. */
export function principalOf(response: Response): Principal {
  return response.locals.principal as Principal;
}

export function createGuard(options: AccessOptions): Guard {
  const { clock, logger } = options;
  const failures = createRateLimit(failuresPerMinute);
  const commands = createRateLimit(commandsPerMinute);
  const identify = (request: Request, response: Response): Principal => {
    const principal = identifyOnce(request, options, failures);
    response.locals.principal = principal;
    return principal;
  };
  return {
    viewer: (request, response, next) => {
      identify(request, response);
      next();
    },
    operator: (request, response, next) => {
      const principal = identify(request, response);
      const { method, path } = request;
      if (principal.role !== 'operator') {
        logger.warn('api.refused', { by: principal.name, method, path, reason: 'role' });
        throw new HttpError(403, 'forbidden', refusalText(principal));
      }
      const csrf = String(request.headers['x-csrf-token'] ?? '');
      if (principal.csrf !== undefined && !isEqual(csrf, principal.csrf)) {
        logger.warn('api.refused', { by: principal.name, method, path, reason: 'csrf' });
        throw new HttpError(
          403,
          'csrf',
          'the command does not carry the CSRF token of its session',
        );
      }
      const isCounted = principal.via !== 'local';
      if (isCounted && !commands.take(`${principal.via} ${principal.name}`, clock.now())) {
        throw tooMany(response);
      }
      next();
    },
  };
}

function refusalText({ via, name }: Principal): string {
  return via === 'local'
    ? 'commands over the network need sign-in, which is not set up; ' +
        'give one on the machine itself, or start with --tokens-file'
    : `${name} has the role viewer; commands need the role operator`;
}

function identifyOnce(
  request: Request,
  { access, clock, logger }: AccessOptions,
  failures: RateLimit,
): Principal {
  const peer = peerOf(request);
  const { authorization } = request.headers;
  const nowMs = clock.now();
  if (authorization !== undefined && failures.isSpent(peer, nowMs)) {
    throw tooMany(request.res);
  }
  const session = cookieOf(request, sessionCookie(access));
  const principal = access.identify({ authorization, session, peer }, nowMs);
  if (principal !== undefined) {
    return principal;
  }
  if (authorization !== undefined) {
    failures.take(peer, nowMs);
    logger.warn('api.signInRefused', { peer, method: 'token' });
    throw new HttpError(401, 'unknown-token', 'the token is not known here');
  }
  request.res?.set('WWW-Authenticate', 'Bearer realm="headgate"');
  throw new HttpError(401, 'sign-in', 'show who you are: a token in HEADGATE_TOKEN, or sign in');
}

/** The routes by which a browser learns who it is, signs in and signs out. */
export function addAccessRoutes(app: Express, options: AccessOptions): void {
  const { access, clock, logger } = options;
  const failures = createRateLimit(failuresPerMinute);
  const own = [checkOrigin, checkContentType, json({ limit: bodyBytesMax, inflate: false })];
  const beginSession = (response: Response, text: string): void => {
    setCookie(response, access, { name: sessionCookie(access), value: text, maxAgeMs: sessionMs });
  };
  get(app, '/api/v1/session', (request, response) => {
    const session = cookieOf(request, sessionCookie(access));
    // Of a browser alone: whoever brings a token knows who they are, and a guess is not answered here.
    const principal = access.identify({ session, peer: peerOf(request) }, clock.now());
    response.json(viewSession(principal, access.methods));
  });
  route(app, '/api/v1/session/token', 'POST', [
    ...own,
    (request, response) => {
      const peer = peerOf(request);
      const nowMs = clock.now();
      if (failures.isSpent(peer, nowMs)) {
        throw tooMany(response);
      }
      const signedIn = access.signInWithToken(String(request.body?.token ?? ''), nowMs);
      if (signedIn === undefined) {
        failures.take(peer, nowMs);
        logger.warn('api.signInRefused', { peer, method: 'token' });
        throw new HttpError(401, 'unknown-token', 'the token is not known here');
      }
      logger.info('api.signedIn', { peer, by: signedIn.name, method: 'token' });
      beginSession(response, signedIn.text);
      response.json({});
    },
  ]);
  route(app, '/api/v1/session/end', 'POST', [
    ...own,
    (_request, response) => {
      setCookie(response, access, { name: sessionCookie(access), value: '', maxAgeMs: 0 });
      response.json({});
    },
  ]);
  get(app, '/api/v1/session/oidc', async (request, response) => {
    const { url, attempt } = await oidcOf(access).begin(callbackUrl(request, access));
    const value = access.sessions.seal('attempt', { ...attempt, untilMs: clock.now() + attemptMs });
    setCookie(response, access, { name: attemptCookie, value, maxAgeMs: attemptMs, isLax: true });
    response.redirect(303, url);
  });
  get(app, callbackPath, async (request, response) => {
    const attempt = findAttempt(request, options);
    setCookie(response, access, { name: attemptCookie, value: '', maxAgeMs: 0, isLax: true });
    try {
      const came = new URL(request.originalUrl, callbackUrl(request, access));
      const owner = await oidcOf(access).end(came, attempt);
      logger.info('api.signedIn', { peer: peerOf(request), by: owner.name, method: 'oidc' });
      beginSession(response, access.sessions.begin(owner, clock.now()));
      response.redirect(303, '/');
    } catch (error) {
      const code = error instanceof OpError ? error.code : 'oidc-failed';
      logger.warn('api.signInRefused', {
        peer: peerOf(request),
        method: 'oidc',
        error: errorText(error),
      });
      response.redirect(303, `/sign-in?error=${code}`);
    }
  });
}

function viewSession(
  principal: Principal | undefined,
  methods: readonly SignInMethod[],
): SessionView {
  const { role, name, csrf } = principal ?? {};
  return { role, name, csrf, methods };
}

function oidcOf(access: Access): NonNullable<Access['oidc']> {
  if (access.oidc === undefined) {
    throw new HttpError(404, 'not-found', 'sign-in with a provider is not set up');
  }
  return access.oidc;
}

function findAttempt(request: Request, { access, clock }: AccessOptions): OidcAttempt {
  const sealed = cookieOf(request, attemptCookie);
  const attempt =
    sealed && (access.sessions.open('attempt', sealed) as OidcAttempt & { untilMs: number });
  if (!attempt || attempt.untilMs <= clock.now()) {
    const message = 'this sign-in was not begun in this browser, or took too long; begin again';
    throw new HttpError(400, 'no-attempt', message);
  }
  return attempt;
}

function callbackUrl(request: Request, { publicUrl }: Access): string {
  const base = publicUrl ?? new URL(`http://${request.headers.host}`);
  return new URL(callbackPath, base).href;
}

const attemptCookie = 'headgate_attempt';

/** The prefix has browsers refuse the cookie where it did not come over TLS (RFC 6265bis, 4.1.3.2). */
function sessionCookie({ publicUrl }: Access): string {
  return publicUrl?.protocol === 'https:' ? '__Host-headgate' : 'headgate_session';
}

function setCookie(
  response: Response,
  { publicUrl }: Access,
  cookie: { name: string; value: string; maxAgeMs: number; isLax?: boolean },
): void {
  response.cookie(cookie.name, cookie.value, {
    httpOnly: true,
    // The provider's answer comes from elsewhere, so what it needs must come along.
    sameSite: cookie.isLax === true ? 'lax' : 'strict',
    secure: publicUrl?.protocol === 'https:',
    path: '/',
    maxAge: cookie.maxAgeMs,
    encode: String,
  });
}

function cookieOf(request: Request, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(/; */).map((pair) => pair.split('='));
  return pairs.find(([key]) => key === name)?.[1];
}

function peerOf(request: Request): string {
  return request.socket.remoteAddress ?? '';
}

function tooMany(response: Response | undefined): HttpError {
  response?.set('Retry-After', String(windowMs / 1000));
  return new HttpError(429, 'too-many', 'that was too often; wait a minute');
}
