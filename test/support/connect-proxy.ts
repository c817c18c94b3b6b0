/** A proxy that leads every tunnel (CONNECT) to one port of this machine, and the variables that name it. */
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

export interface ConnectProxy {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** `host:port` of each tunnel that was asked for, oldest first. */
  readonly tunnels: readonly string[];
  stop(): void;
}

export async function startConnectProxy(targetPort: number): Promise<ConnectProxy> {
  const tunnels: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    const upstream = connect(targetPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, tunnels, stop: () => void proxy.close() };
}

const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'];

/** Runs `body` with just these of the variables that name proxies, and puts back what was. */
export async function withProxyVariables(
  variables: Readonly<Record<string, string>>,
  body: () => Promise<void>,
): Promise<void> {
  const before = names.map((name) => [name, process.env[name]] as const);
  for (const name of names) {
    delete process.env[name];
  }
  Object.assign(process.env, variables);
  try {
    await body();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) {
        delete process.env[name];
      } else {
        process.env[name] = value;
      }
    }
  }
}
