/**
 * An instant query of a Prometheus-compatible server (its HTTP API, `/api/v1/query`), and everything that
 * keeps its answer from being one number, told apart. Asked by POST, which has room for long queries, and
 * without a time, so that the server's own clock says what "now" is.
 */
import { OpError } from '../base/op-error.js';
import type { Outcome, Question } from '../rollout/gates/measurement.js';
import { type ExchangeContext, exchange, type ProviderAnswer, wordsOf } from './exchange.js';
import type { Provider } from './provider.js';

/** An answer that speaks of a time before this is of no use; clocks differ by less. */
const staleAfterMs = 60_000;

/** Throws `OpError` for what is an error; a query that has nothing to say is an outcome. */
export async function askPrometheus(
  provider: Provider,
  { query }: Extract<Question, { kind: 'query' }>,
  context: ExchangeContext,
): Promise<Outcome> {
  const base = provider.url.href.replace(/\/$/, '');
  const askedAtMs = context.clock.now();
  const answer = await exchange(
    provider,
    {
      method: 'POST',
      url: new URL(`${base}/api/v1/query`),
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({ query }).toString(),
      timeoutMs: provider.timeoutMs,
    },
    context,
  );
  return readResult(provider, readData(provider, answer), askedAtMs);
}

type Json = Readonly<Record<string, unknown>>;

/** The `data` of an answer that says success and nothing else. */
function readData(provider: Provider, { status, body }: ProviderAnswer): Json {
  const { name } = provider;
  const document = parseJson(body);
  if (isJson(document) && document.status === 'error') {
    const words = wordsOf(provider, `${document.errorType}: ${document.error}`);
    throw new OpError('query-refused', `${name} refused the query: ${words}`);
  }
  if (status !== 200) {
    const advice = status === 401 || status === 403 ? '; look at its credentials' : '';
    throw new OpError(
      'query-http-status',
      `${name} answered HTTP ${status}, expected 200${advice}`,
    );
  }
  if (document === undefined) {
    throw new OpError('query-bad-json', `${name} answered what is no JSON`);
  }
  if (!isJson(document) || document.status !== 'success' || !isJson(document.data)) {
    throw new OpError('query-bad-answer', `${name} answered what is no result of a query`);
  }
  const { warnings } = document;
  if (Array.isArray(warnings) && warnings.length > 0) {
    // A store behind it did not answer: the number is that of a part.
    const words = wordsOf(provider, warnings.map(String).join('; '));
    throw new OpError('query-warnings', `${name} answered with warnings: ${words}`);
  }
  return document.data;
}

function readResult({ name }: Provider, data: Json, askedAtMs: number): Outcome {
  const { resultType, result } = data;
  if ((resultType !== 'vector' && resultType !== 'scalar') || !Array.isArray(result)) {
    const text = `${name} answered a ${String(resultType)}, expected a scalar or a vector`;
    throw new OpError('query-result-type', text);
  }
  const samples = resultType === 'scalar' ? [result] : result.map((series: Json) => series.value);
  if (samples.length > 1) {
    const text = `${name} answered ${samples.length} series, expected one; sum them up`;
    throw new OpError('query-many-series', text);
  }
  if (samples.length === 0) {
    return noData('query-no-series', `${name} answered no series`);
  }
  const [sample] = samples;
  if (!Array.isArray(sample) || typeof sample[0] !== 'number' || typeof sample[1] !== 'string') {
    throw new OpError('query-result-type', `${name} answered a histogram, expected a number`);
  }
  return readSample(name, sample[0] * 1000, sample[1], askedAtMs);
}

function readSample(name: string, atMs: number, text: string, askedAtMs: number): Outcome {
  const ageMs = askedAtMs - atMs;
  if (Math.abs(ageMs) > staleAfterMs) {
    const apart = `${Math.round(Math.abs(ageMs) / 1000)}s ${ageMs > 0 ? 'old' : 'ahead of time'}`;
    return noData('query-stale', `${name} answered a sample that is ${apart}`);
  }
  if (/^[+-]?Inf$/.test(text)) {
    return noData('query-infinite', `${name} answered ${text}`);
  }
  const value = Number(text);
  return Number.isNaN(value)
    ? noData('query-nan', `${name} answered NaN, as a share of nothing is`)
    : { kind: 'number', value, atMs };
}

function noData(code: string, message: string): Outcome {
  return { kind: 'noData', code, message };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
