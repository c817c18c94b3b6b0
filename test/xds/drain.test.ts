/**
 * How a server goes (statement 6): everybody is told at once that it will (GOAWAY), and then loses its
 * streams at a moment of its own, so that the replicas that are left are not run over.
 */
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeMessage } from '../../controller/envoy/encode.js';
import { manualClock } from '../support/clock.js';
import { frame, openSession, openStream } from '../support/raw-http2.js';
import { until } from '../support/until.js';
import { adsPath, typeUrl, XdsClient } from '../support/xds-client.js';
import { startTestServer, type TestServer } from '../support/xds-server.js';

const node = 'node-1';
const peers = 40;
const drainMs = 600_000;

interface Peer {
  isTold: boolean;
  /** gRPC's status of each of its streams that has ended. */
  readonly ended: string[];
}

/** A proxy as Envoy is one: resources and load reports on one connection. */
async function connectPeer(t: TestServer): Promise<Peer> {
  const session = await openSession(t.address);
  const peer: Peer = { isTold: false, ended: [] };
  session.on('goaway', () => {
    peer.isTold = true;
  });
  const open = async (path: string, message: Buffer): Promise<void> => {
    const stream = openStream(session, path);
    stream.on('trailers', (trailers) => {
      peer.ended.push(String(trailers['grpc-status']));
      stream.end();
    });
    stream.write(frame(message));
    stream.resume();
    await once(stream, 'data');
  };
  const request = { node: { id: node }, type_url: typeUrl('cluster') };
  await open(adsPath.sotw, encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', request));
  await open(
    '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats',
    encodeMessage('envoy.service.load_stats.v3.LoadStatsRequest', { node: { id: node } }),
  );
  return peer;
}

test('6: a server that stops tells all at once, and ends their streams peer by peer', async () => {
  const clock = manualClock();
  // The clock leaps, and no answer to a ping can come in a leap.
  const t = await startTestServer({ keepaliveTimeMs: 10 * drainMs }, clock);
  t.serve(node, { cds: ['a'] });
  const all: Peer[] = [];
  for (let count = 0; count < peers; count += 1) {
    all.push(await connectPeer(t));
  }
  const stopped = t.server.stop(drainMs);
  await until('all are told', () => all.every((peer) => peer.isTold));
  const gone = (): number => all.filter(({ ended }) => ended.length > 0).length;
  assert.is(gone(), 0, 'and none has lost a stream');
  const late = new XdsClient(t.address);
  const stream = late.sotw(node);
  stream.send('cluster');
  assert.is((await stream.raw.ended()).code, 14, 'nobody new is taken');
  late.close();
  // The last tenth of the time is for what was said last to arrive.
  const [steps, stepMs] = [9, drainMs / 10];
  for (let step = 1; step <= steps; step += 1) {
    clock.advance(stepMs);
    const expected = Math.floor((peers / steps) * step);
    await until(`${expected} have lost their streams`, () => gone() >= expected);
    // The peer whose turn comes exactly now may be among them.
    assert.ok(gone() <= expected + 1, `${gone()} of ${peers} after ${step} of ${steps} steps`);
  }
  await until('all streams have ended', () => all.every(({ ended }) => ended.length === 2));
  assert.equal([...new Set(all.flatMap(({ ended }) => ended))], ['14'], 'UNAVAILABLE');
  await stopped;
});

test.run();
