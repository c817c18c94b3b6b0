/**
 * One HTTP exchange with an operator's URL, with its outcome as `OpError` or the answer. The URL is a secret
 * (whoever has a chat webhook's URL can write there), so no message of ours contains it.
 */
import { OpError, type Retry } from '../base/op-error.js';
import { printable, redacted } from '../base/printable.js';
import {
  exchange as exchangeHttp,
  type HttpAnswer,
  type HttpCall,
  NoAnswer,
} from '../http/exchange.js';
import type { Clock } from '../loop/ports.js';

/** From the look-up of the name to the end of the answer. */
export const exchangeTimeoutMs = 5_000;

/** Of an answer only this much is read: chats and Git servers answer with a page of JSON at most. */
const answerBytesMax = 256 * 1024;
/** Of a refusal only its first words, for the message: finding secrets in more would take long. */
const refusalBytesMax = 4_096;
const answerCharactersMax = 200;

/** A server that says to come back later than this is asked sooner all the same. */
const retryAfterMaxMs = 3_600_000;

/** Least wait that GitHub asks for where it limits the rate without a time ("Rate limits for the REST API"). */
const rateLimitMs = 60_000;

export interface SinkCall extends Omit<HttpCall, 'timeoutMs' | 'ca' | 'signal'> {
  /** Beside the URL, what no message may repeat: a token. */
  readonly secret?: string;
}

/** `text` as the URL of a sink; `sink` names it in the error, which does not repeat the URL. */
export function sinkUrl(text: string, sink: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new OpError(
      'notify-url',
      `the URL of notification target ${sink} is no http or https URL`,
      {
        retry: { kind: 'stalled' },
      },
    );
  }
  return url;
}

/**
 * Resolves on any 2xx answer, whatever else it says. Throws `OpError`: `notify-unreachable` (backoff),
 * `notify-busy` (408, 429, 5xx, and 403 of a rate limit: backoff, or what the answer says), `notify-redirected` (3xx: backoff,
 * since an operator may still mend it), `notify-refused` (any other answer: stalled).
 */
export async function post(message: Omit<SinkCall, 'method'>, clock: Clock): Promise<void> {
  await perform({ ...message, method: 'POST' }, clock, async () => '');
}

/** The first 256 KiB of the body of any 2xx answer, as text. Throws as `post` does. */
export function exchange(call: SinkCall, clock: Clock): Promise<string> {
  return perform(call, clock, (body) => firstBytes(body, answerBytesMax));
}

async function perform(
  call: SinkCall,
  clock: Clock,
  read: (body: AsyncIterable<Buffer>) => Promise<string>,
): Promise<string> {
  try {
    return await exchangeHttp({ ...call, timeoutMs: exchangeTimeoutMs }, clock, async (answer) => {
      if (answer.statusCode < 200 || answer.statusCode > 299) {
        const words = mask(await firstBytes(answer.body, refusalBytesMax), call);
        throw refusal(answer, words, clock.now());
      }
      return read(answer.body);
    });
  } catch (error) {
    throw error instanceof NoAnswer ? unreachable(error) : error;
  }
}

function refusal(answer: HttpAnswer, words: string, nowMs: number): OpError {
  const status = answer.statusCode;
  const text = `HTTP ${status}${words === '' ? '' : `: ${words}`}`;
  if (status >= 300 && status < 400) {
    return new OpError('notify-redirected', `${text}; redirects are not followed`);
  }
  const isLimited = status === 403 && isRateLimit(answer, words);
  if (status === 408 || status === 429 || status >= 500 || isLimited) {
    return new OpError('notify-busy', text, { retry: waitOf(answer, nowMs, isLimited) });
  }
  return new OpError('notify-refused', text, { retry: { kind: 'stalled' } });
}

/** GitHub answers 403 to who asks too often, as it does to who may not ask at all. */
function isRateLimit({ headers }: HttpAnswer, words: string): boolean {
  return (
    headers['retry-after'] !== undefined ||
    headers['x-ratelimit-remaining'] === '0' ||
    /rate limit/i.test(words)
  );
}

/** Retry-After; else, of a limit that is used up, the second in which it is filled again. */
function waitOf({ headers }: HttpAnswer, nowMs: number, isLimited: boolean): Retry {
  const resetMs = Number(headers['x-ratelimit-reset']) * 1000;
  if (headers['retry-after'] !== undefined) {
    return retryAfter(String(headers['retry-after']), nowMs);
  }
  if (headers['x-ratelimit-remaining'] === '0' && resetMs > nowMs) {
    return { kind: 'after', ms: Math.min(resetMs - nowMs, retryAfterMaxMs) };
  }
  return isLimited ? { kind: 'after', ms: rateLimitMs } : { kind: 'backoff' };
}

/** RFC 9110, 10.2.3: seconds or a date. What cannot be read is as if it were not there. */
function retryAfter(header: string, nowMs: number): Retry {
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms)
    ? { kind: 'backoff' }
    : { kind: 'after', ms: Math.min(Math.max(ms, 0), retryAfterMaxMs) };
}

function unreachable({ isTimeout, code }: NoAnswer): OpError {
  const text = isTimeout
    ? `no answer within ${exchangeTimeoutMs / 1000}s`
    : `no connection: ${code}`;
  return new OpError('notify-unreachable', text);
}

async function firstBytes(body: AsyncIterable<Buffer>, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= bytesMax) {
      break;
    }
  }
  return Buffer.concat(chunks).subarray(0, bytesMax).toString('utf8');
}

/** What a server says may repeat what it was sent. */
function mask(words: string, { url, secret = '' }: SinkCall): string {
  const secrets = [url.href, `${url.pathname}${url.search}`, url.pathname, url.password, secret];
  const masked = secrets
    .filter((secret) => secret.length > 1)
    .reduce((text, secret) => text.replaceAll(secret, '[redacted]'), words);
  return printable(redacted(masked)).trim().slice(0, answerCharactersMax);
}
