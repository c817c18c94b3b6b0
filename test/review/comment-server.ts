/** Servers that keep comments as GitHub and GitLab document, one pull request with the number 7 each. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as bodyOf } from 'node:stream/consumers';
import { commentCharactersMax } from '../../controller/plan/render-markdown.js';
import type { CommentTarget } from '../../controller/review/comment.js';

export interface Comment {
  readonly id: number;
  body: string;
}

export interface Vendor {
  readonly provider: CommentTarget['provider'];
  readonly repository: string;
  readonly list: string;
  readonly one: RegExp;
  readonly change: string;
  readonly isAllowed: (headers: IncomingMessage['headers']) => boolean;
  readonly newestFirst: boolean;
}

export const vendors: readonly Vendor[] = [
  {
    provider: 'github',
    repository: 'team/mesh',
    list: '/repos/team/mesh/issues/7/comments',
    one: /^\/repos\/team\/mesh\/issues\/comments\/(\d+)$/,
    change: 'PATCH',
    isAllowed: ({ authorization }) => authorization === 'Bearer s3cret',
    newestFirst: false,
  },
  {
    provider: 'gitlab',
    repository: 'group/team/mesh',
    list: '/projects/group%2Fteam%2Fmesh/merge_requests/7/notes',
    one: /^\/projects\/group%2Fteam%2Fmesh\/merge_requests\/7\/notes\/(\d+)$/,
    change: 'PUT',
    isAllowed: (headers) => headers['private-token'] === 's3cret',
    newestFirst: true,
  },
];

/** A server of `vendor` with `comments`, which it changes as it is told. */
async function startServer(vendor: Vendor, comments: Comment[]) {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    void answer(vendor, comments, calls, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, calls, apiUrl: `http://127.0.0.1:${port}` };
}

async function answer(
  vendor: Vendor,
  comments: Comment[],
  calls: string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://server');
  const method = request.method ?? '';
  const text = await bodyOf(request);
  const { body = '' } = (text === '' ? {} : JSON.parse(text)) as { body?: string };
  calls.push(method);
  const reply = (status: number, value?: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(value === undefined ? '' : JSON.stringify(value));
  };
  const found = comments.find(({ id }) => String(id) === vendor.one.exec(pathname)?.[1]);
  if (!vendor.isAllowed(request.headers)) {
    reply(401, { message: `Bad credentials: ${request.headers.authorization}` });
  } else if (body.length > commentCharactersMax) {
    reply(422, { message: 'Validation Failed' });
  } else if (method === 'GET' && pathname === vendor.list) {
    const size = Math.min(Number(searchParams.get('per_page') ?? 30), 100);
    const page = Number(searchParams.get('page') ?? 1);
    const all = vendor.newestFirst ? comments.toReversed() : comments;
    reply(200, all.slice((page - 1) * size, page * size));
  } else if (method === 'POST' && pathname === vendor.list) {
    const comment = { id: 1 + Math.max(0, ...comments.map(({ id }) => id)), body: body.trimEnd() };
    comments.push(comment);
    reply(201, comment);
  } else if (method === vendor.change && found !== undefined) {
    found.body = body.trimEnd();
    reply(200, found);
  } else if (method === 'DELETE' && found !== undefined) {
    comments.splice(comments.indexOf(found), 1);
    reply(204);
  } else {
    reply(404, { message: 'Not Found' });
  }
}

/** Runs `use` with a server of `vendor`, whose token is `s3cret`, and ends it. */
export async function withServer(
  vendor: Vendor,
  comments: Comment[],
  use: (target: CommentTarget, calls: readonly string[]) => Promise<void>,
): Promise<void> {
  const { server, calls, apiUrl } = await startServer(vendor, comments);
  const { provider, repository } = vendor;
  try {
    await use({ provider, apiUrl, repository, number: 7, token: 's3cret' }, calls);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
