/**
 * The dashboard's files, as `npm run build` makes them: read once at the start, kept in memory, compressed
 * beforehand. Names below `assets/` hold a hash of their content, so browsers keep those for ever.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Express, Request, Response } from 'express';
import type { Guard } from './access-routes.js';
import { get } from './request.js';
import { HttpError } from './safety.js';

/** A page that is served in the dashboard's place: the dashboard with views of its own. */
export interface PageOptions {
  /** Where it was built. */
  readonly folder: string;
  /** Paths at which it is served besides the dashboard's own. */
  readonly paths: readonly string[];
  /** Adds what its views ask for; below `/api`, whoever gets there may read. */
  addRoutes(app: Express, guard: Guard): void;
}

interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Undefined where compression gains nothing. */
  readonly brotli?: Buffer;
}

const typeOf: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Paths at which the page is served; which of its views to show it reads from the path itself. */
const pagePaths = [
  '/',
  '/mesh{/*rest}',
  '/rollouts{/*rest}',
  '/changes{/*rest}',
  '/proxies{/*rest}',
  '/events{/*rest}',
  '/sign-in',
];

/**
 * Nothing but the page's own files and its own API; no text ever becomes markup or code (Trusted Types),
 * whatever a commit message holds.
 */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Adds the routes of the page in `folder`; none where nothing was built there. */
export function addDashboard(
  app: Express,
  { folder, paths }: Pick<PageOptions, 'folder' | 'paths'>,
): void {
  const files = readFiles(folder);
  const page = files.get('/index.html');
  if (page === undefined) {
    return;
  }
  for (const path of [...pagePaths, ...paths]) {
    get(app, path, (request, response) => {
      response.set({ 'Content-Security-Policy': pagePolicy, 'Cache-Control': 'no-cache' });
      send(request, response, page);
    });
  }
  get(app, '/assets/:name', (request, response) => {
    const file = files.get(`/assets/${request.params.name}`);
    if (file === undefined) {
      throw new HttpError(404, 'not-found', 'there is no such file');
    }
    response.set('Cache-Control', 'public, max-age=31536000, immutable');
    send(request, response, file);
  });
}

function send(request: Request, response: Response, file: PageFile): void {
  response.set({ 'Content-Type': file.type, Vary: 'Accept-Encoding' });
  if (file.brotli !== undefined && request.acceptsEncodings('br') === 'br') {
    response.set('Content-Encoding', 'br').send(file.brotli);
  } else {
    response.send(file.bytes);
  }
}

function readFiles(folder: string): ReadonlyMap<string, PageFile> {
  const names = existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
    : [];
  return new Map(
    names.flatMap((name) => {
      const type = typeOf[extname(name)];
      const path = join(folder, name);
      const compressed = `${path}.br`;
      const brotli = existsSync(compressed) ? readFileSync(compressed) : undefined;
      return type === undefined
        ? []
        : [
            [
              `/${name.replaceAll('\\', '/')}`,
              { type, bytes: readFileSync(path), brotli },
            ] as const,
          ];
    }),
  );
}
