/** Messages are put together from whatever pieces arrive, and are refused by their prefix alone. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import { FrameError, framed, MessageReader } from '../../controller/xds/grpc-frames.js';

const bytesMax = 100_000;

function pieces(bytes: Buffer, sizes: () => number): readonly Buffer[] {
  const result: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + Math.max(1, sizes());
    result.push(bytes.subarray(at, end));
    at = end;
  }
  return result;
}

test('what is framed is read again, in whatever pieces it comes', () => {
  const messages = [0, 1, 5, 300, 0, 20_000, 70_000].map((length) => Buffer.alloc(length, length));
  const bytes = Buffer.concat(
    messages.flatMap((message) => framed([message.subarray(0, 3), message.subarray(3)])),
  );
  for (let seed = 0; seed < 50; seed += 1) {
    const random = seededRandom(seed);
    const longest = [1, 4, 7, 5_000, 100_000][seed % 5] ?? 1;
    const reader = new MessageReader(bytesMax);
    const read = pieces(bytes, () => Math.floor(random() * longest)).flatMap((piece) => [
      ...reader.read(piece),
    ]);
    assert.equal(
      read.map((message) => message.length),
      messages.map((message) => message.length),
    );
    assert.ok(read.every((message, index) => message.equals(messages[index] ?? Buffer.alloc(0))));
    assert.not(reader.isWaiting);
  }
});

test('of a message in crumbs little more is kept than its bytes, and large pieces are not copied', () => {
  const length = 90_000;
  const [prefix = Buffer.alloc(0)] = framed([Buffer.alloc(length)]);
  const reader = new MessageReader(bytesMax);
  reader.read(prefix.subarray(0, 5));
  for (let count = 0; count < length / 2; count += 1) {
    reader.read(Buffer.alloc(1));
    reader.read(Buffer.alloc(0));
  }
  assert.ok(reader.pieceCount < 20, `${reader.pieceCount} pieces`);
  const large = new MessageReader(bytesMax);
  large.read(prefix.subarray(0, 5));
  for (let count = 0; count < 5; count += 1) {
    large.read(Buffer.alloc(16 * 1024));
  }
  assert.is(large.pieceCount, 6);
});

test('a large part is handed over as it is, a small one copied', () => {
  const large = Buffer.alloc(20_000);
  assert.ok(framed([Buffer.from('a'), large]).includes(large));
  assert.is(framed([Buffer.from('a'), Buffer.from('b')]).length, 1);
});

for (const [what, prefix, encoding, reason] of [
  ['too long', [0, 0, 1, 0x86, 0xa1], undefined, 'tooLong'],
  ['of 4 GiB', [0, 255, 255, 255, 255], undefined, 'tooLong'],
  ['compressed', [1, 0, 0, 0, 1], 'gzip', 'compressed'],
  ['compressed with nothing', [1, 0, 0, 0, 1], undefined, 'malformed'],
  ['compressed with identity', [1, 0, 0, 0, 1], 'identity', 'malformed'],
  ['of an unknown kind', [7, 0, 0, 0, 0], 'gzip', 'malformed'],
] as const) {
  test(`a message that is ${what} is refused before it has come`, () => {
    try {
      new MessageReader(bytesMax, encoding).read(Buffer.from(prefix));
      assert.unreachable();
    } catch (error) {
      assert.instance(error, FrameError);
      assert.is((error as FrameError).reason, reason);
    }
  });
}

test('in the middle of a message it waits', () => {
  const reader = new MessageReader(bytesMax);
  assert.equal(reader.read(Buffer.from([0, 0, 0, 0, 2, 1])), []);
  assert.ok(reader.isWaiting);
  assert.equal(reader.read(Buffer.from([2])), [Buffer.from([1, 2])]);
});

test.run();
