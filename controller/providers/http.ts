/**
 * A request to somebody's own judge or smoke test. The path lies below the provider's URL. An answer of no
 * use is an error: one that leads elsewhere, one that says that the judge itself is away or busy, one
 * without the value that was asked for.
 */
import { OpError } from '../base/op-error.js';
import { leavesBase } from '../mesh/gates.js';
import { isExpectedStatus, renderStatuses } from '../rollout/gates/http.js';
import type { Outcome, Question, Scalar } from '../rollout/gates/measurement.js';
import { type ExchangeContext, exchange, withoutSecrets } from './exchange.js';
import type { Provider } from './provider.js';

type HttpQuestion = Extract<Question, { kind: 'http' }>;

/** Request Timeout, Too Early, Too Many Requests, and what gateways say of a server that is not there. */
const busyStatuses: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);

/** A longer text is no verdict. */
const textMax = 1000;

/** Throws `OpError` for what is an error. */
export async function askHttp(
  provider: Provider,
  question: HttpQuestion,
  about: { readonly rollout: string; readonly gate: string },
  context: ExchangeContext,
): Promise<Outcome> {
  const { name } = provider;
  const { status, body } = await exchange(
    provider,
    {
      method: question.method,
      url: urlBelow(provider, question.path),
      headers: {
        accept: 'application/json',
        'headgate-rollout': about.rollout,
        'headgate-gate': about.gate,
        ...(question.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: question.body,
      timeoutMs: question.timeoutMs ?? provider.timeoutMs,
    },
    context,
  );
  const isExpected = isExpectedStatus(status, question.statuses);
  const wanted = renderStatuses(question.statuses);
  if (!isExpected && status >= 300 && status <= 399) {
    const text = `${name} answered a redirect (${status}), which is not followed`;
    throw new OpError('http-redirected', text);
  }
  if (!isExpected && (busyStatuses.has(status) || question.json !== undefined)) {
    throw new OpError('http-status', `${name} answered HTTP ${status}, expected ${wanted}`);
  }
  return question.json === undefined
    ? { kind: 'response', status }
    : {
        kind: 'response',
        status,
        value: readValue(provider, body, question.json),
      };
}

/** The path was checked in the policy, and what was filled in for names cannot lead out either. */
function urlBelow({ url, name }: Provider, path: string): URL {
  const base = url.href.replace(/\/$/, '');
  const whole = `${base}${path}`;
  const found = URL.canParse(whole) ? new URL(whole) : undefined;
  const isBelow = found?.origin === url.origin && found.href.startsWith(`${base}/`);
  if (found === undefined || !isBelow || leavesBase(path)) {
    throw new OpError('http-path', `the path ${path} leads out of the URL of ${name}`);
  }
  return found;
}

function readValue(
  provider: Provider,
  body: string,
  { pointer, type }: NonNullable<HttpQuestion['json']>,
): Scalar {
  const { name } = provider;
  const where = pointer === '' ? 'its answer' : pointer;
  const value = valueAt(parse(name, body), pointer);
  if (value === undefined) {
    throw new OpError('http-no-value', `${name} answered JSON that has no ${where}`);
  }
  if (typeof value === 'object' && value !== null) {
    throw new OpError('http-no-value', `${name} answered a list or an object at ${where}`);
  }
  if (type === 'number' && typeof value !== 'number') {
    throw new OpError('http-not-a-number', `${name} answered no number at ${where}`);
  }
  if (typeof value === 'string' && value.length > textMax) {
    throw new OpError('http-no-value', `${name} answered ${value.length} characters at ${where}`);
  }
  return typeof value === 'string' ? withoutSecrets(provider, value) : (value as Scalar);
}

function parse(name: string, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new OpError('http-bad-json', `${name} answered what is no JSON`);
  }
}

/** RFC 6901; undefined where nothing stands there. */
function valueAt(document: unknown, pointer: string): unknown {
  const tokens = pointer.split('/').slice(1);
  return tokens.reduce((value: unknown, token) => {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    const isList = Array.isArray(value);
    const hasKey = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
    return hasKey && (!isList || /^(0|[1-9]\d*)$/.test(key))
      ? (value as Readonly<Record<string, unknown>>)[key]
      : undefined;
  }, document);
}
