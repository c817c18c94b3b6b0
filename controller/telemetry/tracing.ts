/**
 * Traces over OTLP/HTTP, by OpenTelemetry's own SDK: on where the environment names a collector, as its
 * specification has it (`OTEL_EXPORTER_OTLP_ENDPOINT` and the variables beside it). Spans wait in a bounded
 * queue and are dropped where the collector does not take them: nothing ever waits for it.
 */
import { ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { printable, redacted } from '../base/printable.js';
import type { Logger } from '../loop/ports.js';
import type { Span } from './span.js';

/** How long a stop waits for the last spans: a collector that is gone must not hold it up. */
const flushMaxMs = 2_000;

/** Between two exports: a trace is to be looked at while its rollout runs. */
const exportEveryMs = 1_000;

/** Texts of attributes, as reasons of gates, are cut here. */
const attributeCharactersMax = 2_000;

export interface Tracing {
  /** Queues a span that is over. Never throws, never waits. */
  emit(span: Span): void;
  /** Sends what is queued, within some seconds. */
  stop(): Promise<void>;
}

/** A sender of spans. Endpoint, headers, time-out, certificates and the service's name come from the environment. */
export function startTracing({
  version,
  logger,
}: {
  readonly version: string;
  readonly logger: Logger;
}): Tracing {
  let ids = { traceId: '', spanId: '' };
  const ownName = resourceFromAttributes({
    'service.name': process.env.OTEL_SERVICE_NAME || 'headgate',
    'service.version': version,
  });
  const fromEnvironment = resourceFromAttributes(envDetector.detect().attributes ?? {});
  const provider = new TracerProvider({
    resource: defaultResource().merge(ownName).merge(fromEnvironment),
    spanLimits: { attributeValueLengthLimit: attributeCharactersMax },
    idGenerator: { generateTraceId: () => ids.traceId, generateSpanId: () => ids.spanId },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: reporting(new OTLPTraceExporter(), logger),
        scheduledDelayMillis: exportEveryMs,
      }),
    ],
  });
  const tracer = provider.getTracer('headgate', version);
  return {
    emit: (span) => {
      ids = span;
      const parent = span.parentId && {
        traceId: span.traceId,
        spanId: span.parentId,
        traceFlags: TraceFlags.SAMPLED,
      };
      const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
      const { name, fromMs, toMs, error } = span;
      const attributes = shown(span.attributes);
      const made = tracer.startSpan(name, { startTime: fromMs, attributes }, context);
      if (error !== undefined) {
        made.setStatus({ code: SpanStatusCode.ERROR, message: printable(redacted(error)) });
      }
      made.end(Math.max(toMs, fromMs));
    },
    stop: () => withinTime(provider.shutdown()),
  };
}

/** Texts come from commits and proxies, and are cleaned as those of the log are. */
function shown(attributes: Span['attributes']): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([key, value]) =>
      value === undefined
        ? []
        : [[key, typeof value === 'string' ? printable(redacted(value)) : value]],
    ),
  );
}

/** `exporter`, which says once when the collector stops taking spans, and once when it takes them again. */
function reporting(exporter: SpanExporter, logger: Logger): SpanExporter {
  let isFailing = false;
  return {
    export: (spans: ReadableSpan[], done) =>
      exporter.export(spans, (result) => {
        const hasFailed = result.error !== undefined || result.code !== 0;
        if (hasFailed && !isFailing) {
          logger.warn('tracing.failed', { error: result.error?.message, spans: spans.length });
        } else if (!hasFailed && isFailing) {
          logger.info('tracing.recovered', {});
        }
        isFailing = hasFailed;
        done(result);
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}

async function withinTime(ending: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, flushMaxMs);
  });
  await Promise.race([ending.catch(() => undefined), limit]);
  clearTimeout(timer);
}
