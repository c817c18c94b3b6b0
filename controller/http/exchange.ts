/**
 * One HTTP exchange with another's server, as long as it lasts and no longer. The other side is not trusted:
 * no redirect is followed, one deadline covers everything from the look-up of the name to the end of the
 * answer, and whatever state the exchange is in then, it is ended. HTTP_PROXY, HTTPS_PROXY and NO_PROXY are
 * honoured.
 */
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { OpError } from '../base/op-error.js';
import type { Clock } from '../loop/ports.js';

export interface HttpCall {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  /** Authorities (PEM) to trust instead of the system's. */
  readonly ca?: string;
  /** Ends the exchange: nobody waits for its answer any more. */
  readonly signal?: AbortSignal;
}

/** What an answer's body is read by; it may stop early. */
export type HttpAnswer = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>;

/** No whole answer came. Its message has nothing of the network's words, which contain addresses. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly isTimeout: boolean;
  /** As `ECONNREFUSED`. */
  readonly code: string;

  constructor(isTimeout: boolean, code: string) {
    super(isTimeout ? 'no answer in time' : `no connection: ${code}`);
    this.isTimeout = isTimeout;
    this.code = code;
  }
}

const headerBytesMax = 16_384;

/** What `read` makes of the answer. Throws `NoAnswer`, and what `read` throws as `OpError`. */
export async function exchange<T>(
  call: HttpCall,
  clock: Clock,
  read: (answer: HttpAnswer) => Promise<T>,
): Promise<T> {
  const tls = { ca: call.ca };
  // An agent of its own: destroying it ends the exchange in whatever state it is.
  const agent = new EnvHttpProxyAgent({
    maxHeaderSize: headerBytesMax,
    pipelining: 0,
    connect: tls,
    requestTls: tls,
  });
  const deadline = new AbortController();
  const cancel = clock.after(call.timeoutMs, () => deadline.abort());
  const signals = call.signal === undefined ? [] : [call.signal];
  try {
    const answer = await request(call.url, {
      method: call.method,
      headers: { 'user-agent': 'headgate', ...call.headers },
      body: call.body,
      dispatcher: agent,
      signal: AbortSignal.any([deadline.signal, ...signals]),
      // The deadline is the only limit: a load test may take minutes to answer.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return await read(answer);
  } catch (error) {
    if (error instanceof OpError && !deadline.signal.aborted) {
      throw error;
    }
    const code = (error as { readonly code?: unknown }).code;
    throw new NoAnswer(deadline.signal.aborted, String(code ?? 'unknown error'));
  } finally {
    cancel();
    await agent.destroy();
  }
}
