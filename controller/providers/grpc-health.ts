/** gRPC's health check (grpc.health.v1.Health/Check) of a provider, over a connection of its own. */
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs/minimal.js';
import { renderDuration } from '../base/duration.js';
import { OpError } from '../base/op-error.js';
import type { HealthStatus, Outcome, Question } from '../rollout/gates/measurement.js';
import { bodyBytesMax, type ExchangeContext } from './exchange.js';
import type { Provider } from './provider.js';

const method = '/grpc.health.v1.Health/Check';

/** The enum ServingStatus of health.proto. */
const statuses: readonly HealthStatus[] = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** Throws `OpError` for what is an error. */
export async function askGrpc(
  provider: Provider,
  { service }: Extract<Question, { kind: 'grpc' }>,
  context: ExchangeContext,
): Promise<Outcome> {
  const health = await check(provider, service, context);
  return health === 'UNKNOWN' || health === 'SERVICE_UNKNOWN'
    ? { kind: 'noData', code: 'grpc-unknown', message: `${provider.name} answered ${health}` }
    : { kind: 'health', status: health };
}

function check(
  provider: Provider,
  service: string,
  { clock, signal }: ExchangeContext,
): Promise<HealthStatus> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(provider.headers())) {
    metadata.set(name, value);
  }
  const ca = provider.ca();
  const isPlain = provider.url.protocol === 'grpc:';
  const client = new Client(
    provider.url.host,
    isPlain
      ? credentials.createInsecure()
      : credentials.createSsl(ca === undefined ? null : Buffer.from(ca)),
    { 'grpc.max_receive_message_length': bodyBytesMax, 'grpc.enable_retries': 0 },
  );
  return new Promise<HealthStatus>((resolve, reject) => {
    let isLate = false;
    const call = client.makeUnaryRequest(
      method,
      (name: string) => Buffer.from(protobuf.Writer.create().uint32(10).string(name).finish()),
      readStatus,
      service,
      metadata,
      (error, health) => {
        cancelDeadline();
        signal.removeEventListener('abort', cancel);
        if (error === null && health !== undefined) {
          resolve(health);
        } else {
          reject(failure(provider, error, isLate));
        }
      },
    );
    const cancel = () => call.cancel();
    const cancelDeadline = clock.after(provider.timeoutMs, () => {
      isLate = true;
      call.cancel();
    });
    signal.addEventListener('abort', cancel);
  }).finally(() => client.close());
}

/** HealthCheckResponse: its one field is the status; left out it is UNKNOWN. */
function readStatus(bytes: Buffer): HealthStatus {
  const reader = protobuf.Reader.create(bytes);
  let found: HealthStatus = 'UNKNOWN';
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 8) {
      found = statuses[reader.int32()] ?? 'UNKNOWN';
    } else {
      reader.skipType(tag & 7);
    }
  }
  return found;
}

/** By the code alone: details contain addresses. */
function failure(
  { name, timeoutMs }: Provider,
  error: ServiceError | null,
  isLate: boolean,
): OpError {
  if (isLate) {
    const text = `${name} did not answer within ${renderDuration(timeoutMs)}`;
    return new OpError('provider-timeout', text);
  }
  switch (error?.code) {
    case status.UNAVAILABLE:
      return new OpError('provider-unreachable', `${name} cannot be reached`);
    case status.NOT_FOUND:
      return new OpError('grpc-service-unknown', `${name} does not know the service`);
    case status.UNIMPLEMENTED:
      return new OpError('grpc-unimplemented', `${name} has no health check`);
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return new OpError('grpc-refused', `${name} refused it; look at its credentials`);
    default: {
      const code = error === null ? 'no answer' : (status[error.code] ?? 'unknown error');
      return new OpError('grpc-error', `${name} answered ${code}`);
    }
  }
}
