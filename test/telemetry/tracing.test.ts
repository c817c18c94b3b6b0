/** Spans over OTLP/HTTP to a collector that takes them, refuses them, and never answers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openTracing, wantsTraces, withTraceIds } from '../../controller/telemetry/open-tracing.js';
import type { Span } from '../../controller/telemetry/span.js';
import { startTracing } from '../../controller/telemetry/tracing.js';
import { type Collector, startCollector } from '../support/otlp-collector.js';
import { recordingLogger } from '../support/recording-logger.js';
import { until } from '../support/until.js';

const tracing = suite<{ collector: Collector }>('traces over OTLP');

const names = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_RESOURCE_ATTRIBUTES'] as const;

tracing.before.each(async (context) => {
  context.collector = await startCollector();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = context.collector.url;
  process.env.OTEL_RESOURCE_ATTRIBUTES = 'deployment.environment.name=staging';
});

tracing.after.each(({ collector }) => {
  collector.stop();
  for (const name of names) {
    delete process.env[name];
  }
});

const root: Span = {
  traceId: '8c1d0a5b3e7f4a9d2c6b8e1f0a3d5c7b',
  spanId: '00f067aa0ba902b7',
  name: 'commit',
  fromMs: 1_800_000_000_000,
  toMs: 1_800_000_001_500,
  attributes: { 'headgate.commit.title': 'red \u001b[31m', n: 3, flag: true, none: undefined },
};
const child: Span = {
  ...root,
  spanId: 'b7ad6b7169203331',
  parentId: root.spanId,
  name: 'validate',
  attributes: {},
  error: 'fetch of https://u:p@git.example/m failed',
};

tracing('a span arrives with its ids, times, attributes and error', async ({ collector }) => {
  const logger = recordingLogger();
  const sender = startTracing({ version: '1.2.3', logger });
  sender.emit(child);
  sender.emit(root);
  await sender.stop();
  assert.equal(collector.faults, []);
  const { traceId } = root;
  const times = { fromMs: root.fromMs, toMs: root.toMs };
  const error = 'fetch of https://[redacted]@git.example/m failed';
  assert.equal(collector.spans, [
    {
      ...{ traceId, spanId: child.spanId, parentSpanId: root.spanId, name: 'validate' },
      ...{ ...times, attributes: {}, error },
    },
    {
      ...{ traceId, spanId: root.spanId, parentSpanId: '', name: 'commit', ...times },
      attributes: { 'headgate.commit.title': 'red \ufffd[31m', n: 3, flag: true },
    },
  ]);
  assert.is(collector.resource['service.name'], 'headgate');
  assert.is(collector.resource['service.version'], '1.2.3');
  assert.is(collector.resource['deployment.environment.name'], 'staging');
  assert.equal(logger.lines, []);
});

tracing('a collector that refuses is told of once, and once when it is well', async (context) => {
  const { collector } = context;
  const logger = recordingLogger();
  const sender = startTracing({ version: '1', logger });
  collector.mode = 'refuse';
  sender.emit(root);
  await logger.until('tracing.failed', 1);
  sender.emit(root);
  await until('the second export was refused', () => collector.requests >= 2);
  collector.mode = 'take';
  await until('spans are taken', () => {
    sender.emit(child);
    return collector.spans.length > 0;
  });
  await logger.until('tracing.recovered', 1);
  await sender.stop();
  assert.equal(
    logger.lines.map(({ event }) => event),
    ['tracing.failed', 'tracing.recovered'],
  );
});

tracing('a collector that never answers holds up neither spans nor the stop', async (context) => {
  context.collector.mode = 'hang';
  const sender = startTracing({ version: '1', logger: recordingLogger() });
  const startedMs = performance.now();
  for (let count = 0; count < 5_000; count += 1) {
    sender.emit({ ...root, spanId: count.toString(16).padStart(16, '0') });
  }
  await sender.stop();
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs < 30_000, `it took ${tookMs} ms`);
});

tracing('there are none unless a collector is named', async () => {
  assert.is(wantsTraces({}), false);
  assert.is(wantsTraces({ OTEL_EXPORTER_OTLP_ENDPOINT: '' }), false);
  const endpoint = 'http://127.0.0.1:1';
  assert.is(wantsTraces({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }), true);
  assert.is(wantsTraces({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint }), true);
  const named = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
  assert.is(wantsTraces({ ...named, OTEL_SDK_DISABLED: 'true' }), false);
  assert.is(wantsTraces({ ...named, OTEL_TRACES_EXPORTER: 'none' }), false);
  const deps = { version: '1', logger: recordingLogger() };
  assert.is(await openTracing({}, deps), undefined);
  assert.equal(deps.logger.lines, []);
});

tracing('a line of the log about a commit names its trace', () => {
  const logger = recordingLogger();
  const traced = withTraceIds(logger);
  traced.info('revision.read', { revision: '8c1d0a5b3e7f4a9d2c6b8e1f0a3d5c7b9e2f4a6d' });
  traced.warn('hook.refused', { provider: 'github' });
  assert.equal(
    logger.lines.map(({ fields }) => fields.traceId),
    ['8c1d0a5b3e7f4a9d2c6b8e1f0a3d5c7b', undefined],
  );
});

tracing.run();
