/** Whether there are traces, by OpenTelemetry's variables; the SDK is loaded only where there are. */
import type { Logger } from '../loop/ports.js';
import { CommitTraces } from './commit-traces.js';
import type { Observer } from './observer.js';
import { traceIdOf } from './span.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface OpenTracing {
  readonly observer: Observer;
  /** Sends what is queued, within some seconds. */
  stop(): Promise<void>;
}

/** True where a collector is named and nothing turns traces off. */
export function wantsTraces(env: Environment): boolean {
  const endpoint = env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  const isOff =
    env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER === 'none';
  return Boolean(endpoint) && !isOff;
}

/** Undefined where no traces are wanted. */
export async function openTracing(
  env: Environment,
  deps: { readonly version: string; readonly logger: Logger },
): Promise<OpenTracing | undefined> {
  if (!wantsTraces(env)) {
    return undefined;
  }
  const { startTracing } = await import('./tracing.js');
  const tracing = startTracing(deps);
  const seed = `${env.OTEL_SERVICE_NAME ?? ''} ${env.OTEL_RESOURCE_ATTRIBUTES ?? ''}`;
  deps.logger.info('tracing.started', {
    endpoint: env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT,
  });
  return { observer: new CommitTraces({ seed, emit: tracing.emit }), stop: tracing.stop };
}

/** A logger whose lines about a commit name the commit's trace. */
export function withTraceIds(logger: Logger): Logger {
  const traced = (fields: Readonly<Record<string, unknown>> = {}) =>
    typeof fields.revision === 'string'
      ? { ...fields, traceId: traceIdOf(fields.revision) }
      : fields;
  return {
    info: (event, fields) => logger.info(event, traced(fields)),
    warn: (event, fields) => logger.warn(event, traced(fields)),
    error: (event, fields) => logger.error(event, traced(fields)),
  };
}
