/**
 * One HTTP exchange with a provider, whose answer has a limit. Errors name the provider and never its URL, and
 * the words of an answer are shown without what it was sent.
 */
import { renderDuration } from '../base/duration.js';
import { OpError } from '../base/op-error.js';
import { printable, redacted } from '../base/printable.js';
import { exchange as exchangeHttp, type HttpCall, NoAnswer } from '../http/exchange.js';
import type { Clock } from '../loop/ports.js';
import type { Provider } from './provider.js';

/** One number or one verdict takes some hundred bytes. */
export const bodyBytesMax = 64 * 1024;

/** Of an answer's own words as much as a line of a report takes. */
const wordsMax = 200;

export type Call = Omit<HttpCall, 'ca' | 'signal'>;

export interface ProviderAnswer {
  readonly status: number;
  readonly body: string;
}

export interface ExchangeContext {
  readonly clock: Clock;
  /** Ends the exchange: nobody waits for its answer any more. */
  readonly signal: AbortSignal;
}

/**
 * Any answer that came whole. Throws `OpError`: `provider-unreachable`, `provider-tls`, `provider-timeout`,
 * `provider-too-large`, or what `Provider.headers` throws.
 */
export async function exchange(
  provider: Provider,
  call: Call,
  { clock, signal }: ExchangeContext,
): Promise<ProviderAnswer> {
  const headers = { ...call.headers, ...provider.headers() };
  try {
    return await exchangeHttp(
      { ...call, headers, ca: provider.ca(), signal },
      clock,
      async ({ statusCode, body }) => ({
        status: statusCode,
        body: await readBody(body, provider),
      }),
    );
  } catch (error) {
    throw error instanceof NoAnswer ? connectionError(provider, call, error) : error;
  }
}

/** What `text`, an answer, says, on one line, without what `provider` was sent and without where it is. */
export function wordsOf(provider: Provider, text: string): string {
  const { href, host } = provider.url;
  const masked = mask(withoutSecrets(provider, text.slice(0, 4096)), [href, host]);
  return printable(redacted(masked)).trim().slice(0, wordsMax);
}

/** `text`, of an answer, without the proof that `provider` was sent: it is shown to many. */
export function withoutSecrets(provider: Provider, text: string): string {
  const { authorization = '' } = provider.headers();
  const [scheme, proof = ''] = authorization.split(' ');
  const pair = scheme === 'Basic' ? Buffer.from(proof, 'base64').toString('utf8') : '';
  return mask(text, [authorization, proof, pair, pair.slice(pair.indexOf(':') + 1)]);
}

function mask(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((each) => each.length > 1)
    .reduce((rest, each) => rest.replaceAll(each, '[redacted]'), text);
}

async function readBody(body: AsyncIterable<Buffer>, provider: Provider): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > bodyBytesMax) {
      const limit = `${bodyBytesMax / 1024} KiB`;
      throw new OpError('provider-too-large', `${provider.name} answered more than ${limit}`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function connectionError(
  { name }: Provider,
  { timeoutMs }: Call,
  { isTimeout, code }: NoAnswer,
): OpError {
  if (isTimeout) {
    const text = `${name} did not answer within ${renderDuration(timeoutMs)}`;
    return new OpError('provider-timeout', text);
  }
  return /CERT|TLS|SSL|SIGNATURE|ISSUER/.test(code)
    ? new OpError('provider-tls', `${name} cannot be trusted: ${code}`)
    : new OpError('provider-unreachable', `${name} cannot be reached: ${code}`);
}
