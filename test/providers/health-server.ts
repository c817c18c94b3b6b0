/** A real gRPC server with a health check (grpc.health.v1) for `shop.Checkout`. */
import { Server, ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

const { root } = protobuf.parse(`
  syntax = "proto3";
  package grpc.health.v1;
  message HealthCheckRequest { string service = 1; }
  message HealthCheckResponse { int32 status = 1; }
`);
const request = root.lookupType('grpc.health.v1.HealthCheckRequest');
const response = root.lookupType('grpc.health.v1.HealthCheckResponse');

const definition: ServiceDefinition = {
  check: {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: (value: object) => Buffer.from(request.encode(value).finish()),
    requestDeserialize: (bytes: Buffer) => request.decode(bytes),
    responseSerialize: (value: object) => Buffer.from(response.encode(value).finish()),
    responseDeserialize: (bytes: Buffer) => response.decode(bytes),
  },
};

export const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

export type ServingStatus = (typeof servingStatuses)[number];

export interface HealthServer {
  /** `grpc://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** The authorization of each check, oldest first. */
  readonly tokens: readonly string[];
  /** From now on answers a status, an error of that code, or nothing at all. */
  set(answer: ServingStatus | number | 'silence'): void;
  stop(): void;
}

type Reply = (error: { readonly code: number } | null, value?: object) => void;

interface Call {
  readonly request: { readonly service: string };
  readonly metadata: { get(name: string): readonly unknown[] };
}

export async function startHealthServer(
  credentials = ServerCredentials.createInsecure(),
): Promise<HealthServer> {
  let answer: ServingStatus | number | 'silence' = 'SERVING';
  const tokens: string[] = [];
  const server = new Server();
  server.addService(definition, {
    check: ({ request: { service }, metadata }: Call, reply: Reply) => {
      tokens.push(String(metadata.get('authorization')[0] ?? ''));
      if (service !== 'shop.Checkout') {
        reply({ code: status.NOT_FOUND });
      } else if (typeof answer === 'number') {
        reply({ code: answer });
      } else if (answer !== 'silence') {
        reply(null, { status: servingStatuses.indexOf(answer) });
      }
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    url: `grpc://127.0.0.1:${port}`,
    port,
    tokens,
    set: (next) => {
      answer = next;
    },
    stop: () => server.forceShutdown(),
  };
}
