/** gRPC servers for tests, each of which answers every call with its own name. */
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';

/** The one method that the servers have; its messages are plain bytes. */
export const namedMethod = '/books.Ratings/Get';

export const plainBytes = {
  encode: (value: Buffer): Buffer => value,
  decode: (value: Buffer): Buffer => value,
};

export interface NamedServer {
  readonly port: number;
  stop(): void;
}

/** Listens on a free port of 127.0.0.1. */
export async function startNamedGrpc(name: string): Promise<NamedServer> {
  const server = new Server();
  const answer = (_call: ServerUnaryCall<Buffer, Buffer>, send: sendUnaryData<Buffer>) =>
    send(null, Buffer.from(name));
  const definition = {
    path: namedMethod,
    requestStream: false,
    responseStream: false,
    requestSerialize: plainBytes.encode,
    requestDeserialize: plainBytes.decode,
    responseSerialize: plainBytes.encode,
    responseDeserialize: plainBytes.decode,
  };
  server.addService({ get: definition }, { get: answer });
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve({ port, stop: () => server.forceShutdown() }) : reject(error),
    );
  });
}
