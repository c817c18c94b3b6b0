/** gRPC servers for tests, each of which answers every call with its own name. */
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';

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

/** Listens on a free port of 127.0.0.1. With `failEvery` 3 each third call fails, as INTERNAL. */
export async function startNamedGrpc(name: string, failEvery = 0): Promise<NamedServer> {
  const server = new Server();
  let calls = 0;
  const answer = (_call: ServerUnaryCall<Buffer, Buffer>, send: sendUnaryData<Buffer>) => {
    calls += 1;
    if (failEvery > 0 && calls % failEvery === 0) {
      send({ code: status.INTERNAL, details: `${name} is broken` });
    } else {
      send(null, Buffer.from(name));
    }
  };
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
