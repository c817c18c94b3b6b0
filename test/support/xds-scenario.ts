/** A test's body with a server of its own, which is stopped however the test ends. */
import type { XdsSettings } from '../../controller/xds/settings.js';
import { startTestServer, type TestServer } from './xds-server.js';

export function withServer(
  play: (server: TestServer) => Promise<void>,
  settings: Partial<XdsSettings> = {},
): () => Promise<void> {
  return async () => {
    const server = await startTestServer(settings);
    try {
      await play(server);
    } finally {
      await server.stop();
    }
  };
}
