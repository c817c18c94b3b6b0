/**
 * What every request must pass, since nobody is asked who they are yet: a web page that a person has
 * open must not be able to drive the controller. A page elsewhere cannot hide its `Origin`; a name that
 * was rebound to 127.0.0.1 shows in `Host`; and JSON bodies make a browser ask first, which is refused.
 */
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { errorText } from '../base/op-error.js';
import { isLoopback } from '../base/socket-address.js';
import type { Logger } from '../loop/ports.js';
import type { ErrorView } from './view.js';

/** An answer that is no success, with what the client may know of it. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  /** Lower-case words with dashes. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A command has a reason of a sentence or two. */
export const bodyBytesMax = 64 * 1024;

/** Answers are data: no page may frame them, guess their type, run what is in them or keep them. */
export const secureHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
  next();
};

/**
 * Refuses a foreign `Host` where only this machine can connect: what else it may be called elsewhere,
 * behind which proxy, is not known here.
 */
export function checkHost(listenAddress: string, publicName = 'localhost'): RequestHandler {
  return (request, _response, next) => {
    // Hooks prove who sent them, and come through a proxy that may keep the outer name.
    const isHook = request.path.startsWith('/api/v1/hooks/');
    const url = `http://${request.headers.host}`;
    const hostname = URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
    const isKnown = isLoopback(hostname) || hostname === publicName;
    if (isLoopback(listenAddress) && !isKnown && !isHook) {
      throw new HttpError(
        403,
        'foreign-host',
        'this controller answers to the name localhost only',
      );
    }
    next();
  };
}

/** Refuses what a browser sends on behalf of a page from elsewhere. */
export const checkOrigin: RequestHandler = (request, _response, next) => {
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'] ?? 'none';
  const isOwn = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
  if (!isOwn || (site !== 'none' && site !== 'same-origin')) {
    throw new HttpError(403, 'cross-origin', 'requests of pages from elsewhere are refused');
  }
  next();
};

/** Only JSON comes in: a form or plain text is what a browser may send without asking. */
export const checkContentType: RequestHandler = (request, _response, next) => {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    const message = 'send application/json, as {"reason": "why"}';
    throw new HttpError(415, 'unsupported-media-type', message);
  }
  next();
};

/** What the body parser and the router throw, by their own `type` or class. */
const knownErrors: Readonly<Record<string, HttpError>> = {
  'entity.too.large': new HttpError(413, 'too-large', `a body has at most ${bodyBytesMax} bytes`),
  'entity.parse.failed': new HttpError(400, 'bad-json', 'the body is no JSON object'),
  'encoding.unsupported': new HttpError(415, 'unsupported-encoding', 'send the body uncompressed'),
  'charset.unsupported': new HttpError(415, 'unsupported-charset', 'send the body as UTF-8'),
  'request.aborted': new HttpError(400, 'aborted', 'the body ended early'),
  'request.size.invalid': new HttpError(400, 'aborted', 'the body is not as long as it says'),
  URIError: new HttpError(400, 'bad-path', 'the path has a broken percent escape'),
};

/** The last handler: errors as JSON, without a word of what is inside. */
export function answerErrors(logger: Logger): ErrorRequestHandler {
  // Express tells an error handler by its four parameters.
  return (error: unknown, request, response, _next) => {
    const known = error instanceof HttpError ? error : knownErrors[kindOf(error)];
    if (known === undefined) {
      logger.error('api.failed', { method: request.method, path: request.path, error });
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const answer = known ?? new HttpError(500, 'internal', 'the controller failed; see its log');
    const body: ErrorView = { error: { code: answer.code, message: errorText(answer) } };
    response.status(answer.status).json(body);
  };
}

function kindOf(error: unknown): string {
  if (error instanceof URIError) {
    return 'URIError';
  }
  const type = typeof error === 'object' && error !== null && 'type' in error ? error.type : '';
  return typeof type === 'string' ? type : '';
}
