/** HTTP/2 below gRPC: what is no gRPC at all, signs of life, and handshakes that a stop cuts short. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openAdmission } from '../../controller/xds/admission.js';
import { createAuthority } from '../support/authority.js';
import { manualClock } from '../support/clock.js';
import { openSession } from '../support/raw-http2.js';
import { until } from '../support/until.js';
import { adsPath } from '../support/xds-client.js';
import { withServer } from '../support/xds-scenario.js';
import { startTestServer } from '../support/xds-server.js';

/** What the server answers to a request without a body; the stream is closed when it resolves. */
async function answerTo(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
): Promise<IncomingHttpHeaders> {
  const stream = session.request({
    ':method': 'POST',
    ':path': adsPath.sotw,
    'content-type': 'application/grpc',
    ...headers,
  });
  const closed = once(stream, 'close');
  stream.end();
  stream.resume();
  const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  await closed;
  return answer;
}

test(
  'what is no gRPC is told so in HTTP, what is no method of ours in gRPC',
  withServer(async (t) => {
    const session = await openSession(t.address);
    try {
      for (const [headers, status, grpcStatus] of [
        [{ ':method': 'GET' }, 405, undefined],
        [{ ':method': 'HEAD' }, 405, undefined],
        [{ 'content-type': 'application/json' }, 415, undefined],
        [{ 'content-type': 'application/grpc-web+proto' }, 415, undefined],
        [{ 'content-type': 'application/grpc+json' }, 415, undefined],
        [{ 'content-type': 'application/grpc; charset=utf-8' }, 200, '0'],
        [{ 'content-type': 'application/grpc+proto' }, 200, '0'],
        [{ ':path': '/envoy.Nothing/%41' }, 200, '12'],
        [{ ':path': `/${'%'.repeat(9_000)}` }, 200, '12'],
      ] as const) {
        const answer = await answerTo(session, headers);
        assert.is(answer[':status'], status, JSON.stringify(headers));
        assert.is(answer['grpc-status'], grpcStatus, JSON.stringify(headers));
        assert.match(String(answer['grpc-message'] ?? ''), /^[ -~]{0,8000}$/);
      }
    } finally {
      session.destroy();
    }
  }),
);

test(
  'a peer that opens streams without end is cut, whatever it asks for',
  withServer(
    async (t) => {
      const session = await openSession(t.address);
      const closed = once(session, 'close');
      for (let count = 0; count < 9; count += 1) {
        const stream = session.request({ ':method': 'POST', ':path': '/no/Method' });
        stream.on('error', () => {
          // It is cut.
        });
        stream.resume();
      }
      await closed;
      assert.is(t.server.refusals().get('streams'), 1);
    },
    { streamsPerSecondMax: 8 },
  ),
);

const settingsFrame = Buffer.from('000000040000000000', 'hex');
const preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settingsFrame]);
const pingAs = (text: string | Buffer, isAnswer: boolean): Buffer =>
  Buffer.concat([
    Buffer.from(isAnswer ? '000008060100000000' : '000008060000000000', 'hex'),
    Buffer.from(text as Buffer),
  ]);

test('a peer that is heard of lives, though its answer to a ping is late', async () => {
  const clock = manualClock();
  const [keepaliveTimeMs, keepaliveTimeoutMs] = [10_000, 5_000];
  const settings = { keepaliveTimeMs, keepaliveTimeoutMs, idleMs: 3_600_000 };
  const t = await startTestServer(settings, clock);
  const socket = connect({ host: t.address.address, port: t.address.port });
  try {
    let got = Buffer.alloc(0);
    let isClosed = false;
    socket.on('data', (piece) => {
      got = Buffer.concat([got, piece]);
    });
    socket.on('close', () => {
      isClosed = true;
    });
    socket.on('error', () => {
      // It is cut at the end.
    });
    const pings = (): readonly Buffer[] => pingsIn(got);
    /** Once it is answered, all that was said before has been read. */
    const say = async (text: string): Promise<void> => {
      socket.write(pingAs(text, false));
      await until(`${text} is answered`, () => got.includes(pingAs(text, true)));
    };
    socket.write(preface);
    await say('greeting');
    clock.advance(keepaliveTimeMs);
    await until('the first ping', () => pings().length === 1);
    for (let count = 0; count < 3; count += 1) {
      await say(`busy-00${count}`);
      clock.advance(keepaliveTimeoutMs);
    }
    await say('still on');
    socket.write(pingAs(pings()[0] ?? '', true));
    await say('answered');
    clock.advance(keepaliveTimeMs);
    await until('the next ping', () => pings().length === 2);
    assert.not(isClosed);
    clock.advance(keepaliveTimeoutMs);
    await until('it is silent and cut', () => isClosed);
  } finally {
    socket.destroy();
    await t.stop();
  }
});

/** The contents of the pings among the frames of `bytes` that are no answers. */
function pingsIn(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    const [type, flags] = [bytes[at + 3], bytes[at + 4]];
    if (type === 6 && flags === 0) {
      found.push(bytes.subarray(at + 9, at + 17));
    }
  }
  return found;
}

test('a handshake that never ends does not hold up a stop', async () => {
  const authority = await createAuthority();
  const clock = manualClock();
  try {
    const { chain, key } = await authority.issue('server', 'DNS:headgate.internal');
    const context = { cert: await readFile(chain), key: await readFile(key) };
    const material = { context, asks: false, requires: false };
    const tls = { now: () => material, onChange: () => {} };
    const t = await startTestServer({}, clock, { ...openAdmission, tls });
    const socket = connect({ host: t.address.address, port: t.address.port });
    const closed = once(socket, 'close');
    await once(socket, 'connect');
    // The server has accepted it once it has read from one that came later and was refused for it.
    const later = connect({ host: t.address.address, port: t.address.port });
    later.on('error', () => {});
    later.write('this is no TLS');
    await until('the later one is refused', () => t.server.refusals().get('handshake') === 1);
    const stopped = t.server.stop(0);
    clock.advance(1_000);
    await stopped;
    await closed;
    later.destroy();
  } finally {
    await authority.remove();
  }
});

test.run();
