/**
 * A collector of traces: an HTTP server that takes what OTLP/HTTP with JSON is documented to be
 * (opentelemetry-proto, "OTLP/HTTP", "JSON Protobuf Encoding") and refuses everything else.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** `STATUS_CODE_ERROR`'s message; undefined: no error. */
  readonly error?: string;
}

export interface Collector {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** Attributes of the newest sender. */
  resource: Readonly<Record<string, unknown>>;
  /** What was wrong with requests. */
  readonly faults: readonly string[];
  /** What it does with requests from now on. */
  mode: 'take' | 'refuse' | 'hang';
  /** Requests so far, taken or not. */
  requests: number;
  stop(): void;
}

export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const faults: string[] = [];
  const collector = { mode: 'take' as Collector['mode'], requests: 0, resource: {} };
  const server = createServer(async (request, response) => {
    collector.requests += 1;
    if (collector.mode === 'hang') {
      return;
    }
    if (collector.mode === 'refuse') {
      response.writeHead(400).end();
      return;
    }
    try {
      const found = readRequest(await bodyOf(request), request);
      spans.push(...found.spans);
      collector.resource = found.resource;
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"partialSuccess":{}}');
    } catch (error) {
      faults.push(String(error));
      response.writeHead(400).end();
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(collector, {
    url: `http://127.0.0.1:${port}`,
    spans,
    faults,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

type Json = Readonly<Record<string, unknown>>;

function readRequest(body: string, { method, url, headers }: IncomingMessage) {
  if (method !== 'POST' || url !== '/v1/traces') {
    throw new Error(`${method} ${url} is not POST /v1/traces`);
  }
  if (headers['content-type'] !== 'application/json') {
    throw new Error(`content-type is ${headers['content-type']}`);
  }
  const { resourceSpans } = JSON.parse(body) as { resourceSpans: readonly Json[] };
  let resource: Json = {};
  const spans = resourceSpans.flatMap((one) => {
    resource = attributesOf((one.resource as Json).attributes);
    return (one.scopeSpans as readonly Json[]).flatMap((scope) =>
      (scope.spans as readonly Json[]).map(readSpan),
    );
  });
  return { spans, resource };
}

/** Ids are hexadecimal, times are nanoseconds as decimal text, enums are numbers. */
function readSpan(span: Json): CollectedSpan {
  const { status } = span as { status?: { code?: number; message?: string } };
  return {
    traceId: text(span.traceId, /^[0-9a-f]{32}$/),
    spanId: text(span.spanId, /^[0-9a-f]{16}$/),
    parentSpanId: text(span.parentSpanId ?? '', /^([0-9a-f]{16})?$/),
    name: text(span.name, /./),
    fromMs: Number(text(span.startTimeUnixNano, /^\d{19}$/)) / 1e6,
    toMs: Number(text(span.endTimeUnixNano, /^\d{19}$/)) / 1e6,
    attributes: attributesOf(span.attributes),
    ...(status?.code === 2 ? { error: status.message ?? '' } : {}),
  };
}

function attributesOf(list: unknown): Json {
  return Object.fromEntries(
    (list as readonly { key: string; value: Json }[]).map(({ key, value }) => {
      const [[kind, held] = []] = Object.entries(value);
      if (!/^(string|bool|int|double|array)Value$/.test(String(kind))) {
        throw new Error(`${key} has a ${kind}`);
      }
      return [key, held];
    }),
  );
}

function text(value: unknown, form: RegExp): string {
  if (typeof value !== 'string' || !form.test(value)) {
    throw new Error(`${JSON.stringify(value)} is not of the form ${form}`);
  }
  return value;
}
