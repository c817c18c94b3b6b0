/**
 * One comment on a pull request, found by a hidden marker in its first line and kept up to date: written
 * once, changed when the text changes, and whatever copies a race has left removed. Nothing is written where
 * the text stands there already.
 *
 * Sources: GitHub REST "Issue comments" (2022-11-28), GitLab "Notes API: merge requests".
 */
import { forgeHeaders } from '../base/forge.js';
import { OpError } from '../base/op-error.js';
import { printable, redacted } from '../base/printable.js';
import { proxiedFetch } from '../http/proxied-fetch.js';

export interface CommentTarget {
  readonly provider: 'github' | 'gitlab';
  /** Of the API, as `https://api.github.com` or `https://gitlab.example/api/v4`. */
  readonly apiUrl: string;
  /** `owner/name`; of GitLab also the project's number. */
  readonly repository: string;
  /** Of the pull request or merge request. */
  readonly number: number;
  readonly token: string;
}

/** What became of the comment. */
export type CommentOutcome = 'created' | 'updated' | 'unchanged';

interface Comment {
  readonly id: number;
  readonly body: string;
}

/** Of the vendors' lists; the largest that both allow. */
const pageSize = 100;
/** A pull request with more comments than this is read no further: the comment is then a new one. */
const pagesMax = 50;
const timeoutMs = 15_000;
/** A page of 100 comments of 65,536 characters each, as JSON. */
const answerBytesMax = 32 * 1024 * 1024;

/** The line that a comment called `key` begins with; nobody sees it. */
export function markerOf(key: string): string {
  return `<!-- headgate:${key} -->`;
}

/** @throws OpError where the server refuses or cannot be reached. */
export async function upsertComment(
  target: CommentTarget,
  key: string,
  text: string,
): Promise<CommentOutcome> {
  const body = `${markerOf(key)}\n${text}`;
  const [first, ...copies] = (await listComments(target)).filter((comment) =>
    comment.body.startsWith(markerOf(key)),
  );
  for (const copy of copies) {
    await call(target, 'DELETE', onePath(target, copy.id));
  }
  if (first === undefined) {
    await call(target, 'POST', listPath(target), { body });
    return 'created';
  }
  // Servers keep lines as a browser sends them, and cut white space at the end.
  if (first.body.replaceAll('\r\n', '\n').trim() === body.trim()) {
    return 'unchanged';
  }
  const method = target.provider === 'github' ? 'PATCH' : 'PUT';
  await call(target, method, onePath(target, first.id), { body });
  return 'updated';
}

async function listComments(target: CommentTarget): Promise<readonly Comment[]> {
  const comments: Comment[] = [];
  for (let page = 1; page <= pagesMax; page += 1) {
    const path = `${listPath(target)}?per_page=${pageSize}&page=${page}`;
    const answer = await call(target, 'GET', path);
    const found = Array.isArray(answer) ? answer : [];
    comments.push(...found.flatMap(readComment));
    if (found.length < pageSize) {
      break;
    }
  }
  // Newest first with GitLab, oldest first with GitHub: the oldest is the one that was answered.
  return comments.sort((left, right) => left.id - right.id);
}

function readComment(value: unknown): readonly Comment[] {
  const { id, body } = (value ?? {}) as { readonly id?: unknown; readonly body?: unknown };
  return typeof id === 'number' && typeof body === 'string' ? [{ id, body }] : [];
}

function listPath({ provider, repository, number }: CommentTarget): string {
  return provider === 'github'
    ? `/repos/${repositoryPath(repository)}/issues/${number}/comments`
    : `/projects/${encodeURIComponent(repository)}/merge_requests/${number}/notes`;
}

function onePath(target: CommentTarget, id: number): string {
  const { provider, repository } = target;
  return provider === 'github'
    ? `/repos/${repositoryPath(repository)}/issues/comments/${id}`
    : `${listPath(target)}/${id}`;
}

function repositoryPath(repository: string): string {
  return repository.split('/').map(encodeURIComponent).join('/');
}

async function call(
  { provider, apiUrl, token }: CommentTarget,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  let answer: Response;
  let text: string;
  try {
    answer = await proxiedFetch(`${apiUrl.replace(/\/+$/, '')}${path}`, {
      method,
      headers: {
        ...forgeHeaders(provider, token),
        'content-type': 'application/json',
        'user-agent': 'headgate',
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    text = await readBounded(answer);
  } catch (cause) {
    throw cause instanceof OpError ? cause : unreachable(cause);
  }
  if (!answer.ok) {
    const words = printable(redacted(text.replaceAll(token, '[redacted]'))).slice(0, 200);
    throw new OpError('review-refused', `${method} ${path}: HTTP ${answer.status}: ${words}`);
  }
  return text === '' ? undefined : JSON.parse(text);
}

async function readBounded(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.length;
    if (size > answerBytesMax) {
      throw new OpError('review-refused', `the answer has more than ${answerBytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** By its code alone: messages of the network contain addresses. */
function unreachable(cause: unknown): OpError {
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    return new OpError('review-unreachable', `no answer within ${timeoutMs / 1000}s`);
  }
  if (cause instanceof SyntaxError) {
    return new OpError('review-refused', 'the answer is no JSON');
  }
  const code = ((cause as Error).cause as { readonly code?: unknown } | undefined)?.code;
  return new OpError('review-unreachable', `no connection: ${String(code ?? 'unknown error')}`);
}
