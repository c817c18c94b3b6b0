/** How a route reads a request: its method, its query, and what of it may be said back. */
import type { Express, Request, RequestHandler } from 'express';
import { printable } from '../base/printable.js';
import { HttpError } from './safety.js';

export const nameCharactersMax = 200;
const pageDefault = 100;
const pageMax = 500;

export function get(app: Express, path: string, handler: RequestHandler): void {
  route(app, path, 'GET', [handler]);
}

/** `handlers` for one method; the others are refused by name. Whoever may GET may ask for the HEAD. */
export function route(
  app: Express,
  path: string,
  method: 'GET' | 'POST',
  handlers: readonly RequestHandler[],
): void {
  const allowed = method === 'GET' ? ['GET', 'HEAD'] : ['POST'];
  const checkMethod: RequestHandler = (request, response, next) => {
    if (!allowed.includes(request.method)) {
      response.set('Allow', allowed.join(', '));
      throw new HttpError(405, 'method-not-allowed', `use ${allowed.join(' or ')} here`);
    }
    next();
  };
  app.all(path, checkMethod, ...handlers);
}

/** What a client sent, fit to be sent back. */
export function shown(text: unknown): string {
  return JSON.stringify(printable(String(text)).slice(0, nameCharactersMax));
}

export function pageOf(request: Request): { readonly limit: number; readonly before?: number } {
  const limit = countQuery(request, 'limit') ?? pageDefault;
  if (limit < 1 || limit > pageMax) {
    throw new HttpError(400, 'bad-query', `limit is 1 to ${pageMax}`);
  }
  return { limit, before: countQuery(request, 'before') };
}

function countQuery(request: Request, name: string): number | undefined {
  const text = textQuery(request, name);
  if (text !== undefined && !/^\d{1,15}$/.test(text)) {
    throw new HttpError(400, 'bad-query', `${name} is a number`);
  }
  return text === undefined ? undefined : Number(text);
}

export function textQuery(request: Request, name: string): string | undefined {
  const value = request.query[name];
  if (value !== undefined && (typeof value !== 'string' || value.length > nameCharactersMax)) {
    throw new HttpError(400, 'bad-query', `${name} is given once, as a short text`);
  }
  return value;
}
