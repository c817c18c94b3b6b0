/** When a connection is cut for what it does, by the counts alone; and how long its peer stays out. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Conduct,
  misconduct,
  newConduct,
  noTraffic,
  observed,
  type Traffic,
} from '../../controller/xds/conduct.js';
import { Inspection } from '../../controller/xds/inspection.js';
import { looseBytesMax } from '../../controller/xds/limits.js';

const kib = 1024;
const mib = 1024 * 1024;
const limits = { requestBytesMax: 8 * mib, stalledMs: 30_000, idleMs: 10_000 };
const nothing: Traffic = { ...noTraffic, streams: 1 };

/** What comes of `perSecond` over `seconds`, looked at four times a second, up to the first misconduct. */
function after(seconds: number, perSecond: Partial<Traffic>): string | undefined {
  let conduct: Conduct = newConduct(0);
  for (let quarter = 1; quarter <= seconds * 4; quarter += 1) {
    const so = (count: number | undefined): number => ((count ?? 0) * quarter) / 4;
    const { readBytes, writtenBytes, pieces, pieceBytes, messages, messageBytes } = perSecond;
    const traffic: Traffic = {
      readBytes: so(readBytes),
      writtenBytes: so(writtenBytes),
      pieces: so(pieces ?? messages),
      pieceBytes: so(pieceBytes ?? messageBytes),
      messages: so(messages),
      messageBytes: so(messageBytes),
      names: so(perSecond.names),
      streams: perSecond.streams === undefined ? 1 : so(perSecond.streams),
    };
    conduct = observed(conduct, traffic, quarter * 250);
    const why = misconduct(conduct, limits);
    if (why !== undefined) {
      return why;
    }
  }
  return undefined;
}

test('a proxy that asks, acknowledges, pings and reads a lot is left alone for days', () => {
  const busy = { messages: 50, messageBytes: 50 * 200, readBytes: 50 * 250 + 17 + 200 * kib };
  assert.is(after(86_400, { ...busy, writtenBytes: 100 * mib }), undefined);
  assert.is(after(86_400, { readBytes: 17 }), undefined, 'an idle one that pings');
});

test('messages in crumbs are counted, messages and large pieces are not', () => {
  const why = 'messages in pieces of less than 1024 bytes, more than 100 a second';
  assert.is(
    after(60, { pieces: 1_900, messages: 950, messageBytes: 0 }),
    undefined,
    'a prefix each',
  );
  assert.is(after(60, { pieces: 1_900, messages: 1_000, messageBytes: 0 }), undefined);
  assert.is(after(60, { pieces: 1_900, messages: 850, messageBytes: 0 }), why);
  assert.is(after(60, { pieces: 1_900, messages: 1_900, messageBytes: 1_900 * 100 }), undefined);
  const large = { pieces: 1_900, pieceBytes: 1_900 * 1_024, readBytes: 1_900 * 1_024 };
  assert.is(after(4, { ...large, messageBytes: 1_900 * 1_024 }), undefined);
  assert.is(after(60, { pieces: 1_900, pieceBytes: 1_900, readBytes: 1_900 * 11 }), why);
});

test('names may be asked for by the ten thousand, and not without end', () => {
  const why = 'asked for names, more than 20000 a second';
  assert.is(after(3_600, { names: 20_000 }), undefined, 'four types of 10,000 every two seconds');
  assert.is(after(1, { names: 4 * 50_000 }), undefined, 'all that a connection may have');
  assert.is(after(60, { names: 30_000 }), why);
});

test('the largest message may take its time, and may not take for ever', () => {
  const begun = (bytes: number) => ({ readBytes: bytes, pieceBytes: bytes });
  assert.is(after(25, begun((8 * mib) / 25)), undefined);
  assert.is(after(120, begun(20 * kib)), 'a message that was not finished in 30000 ms');
  assert.match(after(1, begun(50 * mib)) ?? '', /KiB of messages that were not finished$/);
});

test('frames that are no part of a message end in a cut soon', () => {
  assert.match(
    after(1, { readBytes: 5 * mib }) ?? '',
    /KiB of frames that are no part of a message$/,
  );
  assert.is(after(1, { readBytes: 250 * kib }), undefined);
  const opening = { streams: 100, readBytes: 100 * 8 * kib };
  assert.is(after(1, opening), undefined, 'the headers of streams, with a token in each');
});

test('messages without end are too many, and what comes at once after a restart is not', () => {
  const small = { messageBytes: 0, readBytes: 0 };
  assert.is(after(60, { ...small, messages: 1_900 }), undefined);
  assert.is(after(1, { ...small, messages: 15_000 }), undefined);
  assert.is(after(60, { ...small, messages: 4_000 }), 'more than 2000 pieces of messages a second');
});

test('who never opens a stream loses its place', () => {
  assert.is(after(9, { streams: 0 }), undefined);
  assert.is(after(11, { streams: 0 }), 'no stream that may be opened in 10000 ms');
});

interface Peer {
  readonly peer: string;
  readonly culprit: string | undefined;
  readBytes: number;
  isCut: boolean;
  traffic(): Traffic;
  cut(): void;
}

function peer(name: string, culprit: string | undefined = name): Peer {
  return {
    peer: name,
    culprit,
    readBytes: 0,
    isCut: false,
    traffic() {
      return { ...nothing, readBytes: this.readBytes, pieceBytes: this.readBytes };
    },
    cut() {
      this.isCut = true;
    },
  };
}

function inspection() {
  const cuts: string[] = [];
  const options = {
    ...limits,
    banMs: 10_000,
    onCut: (one: { readonly peer: string }) => cuts.push(one.peer),
  };
  return { cuts, inspection: new Inspection<Peer>(options) };
}

test('who was cut is kept out for a while, and nobody else', () => {
  const { cuts, inspection: inspected } = inspection();
  const [bad, good] = [peer('bad'), peer('good')];
  inspected.add(bad, 0);
  inspected.add(good, 0);
  bad.readBytes = 20 * mib;
  inspected.inspect(250);
  assert.equal(cuts, ['bad']);
  assert.equal([bad.isCut, good.isCut], [true, false]);
  assert.ok(inspected.isBanned('bad', 10_000));
  assert.not(inspected.isBanned('bad', 10_250));
  assert.not(inspected.isBanned('good', 250));
  inspected.inspect(500);
  assert.equal(cuts, ['bad'], 'it is cut once');
});

test('peers of this machine are cut too, and come back', () => {
  const { cuts, inspection: inspected } = inspection();
  const local = { ...peer('local'), culprit: undefined };
  inspected.add(local, 0);
  local.readBytes = 20 * mib;
  inspected.inspect(250);
  assert.equal(cuts, ['local']);
  assert.not(inspected.isBanned(undefined, 250));
});

test('whoever comes from this machine after such a cut is doubtful for as long', () => {
  const { inspection: inspected } = inspection();
  const local = { ...peer('local'), culprit: undefined };
  inspected.add(local, 0);
  assert.not(inspected.isDoubtful(undefined, 0));
  local.readBytes = 20 * mib;
  inspected.inspect(250);
  assert.ok(inspected.isDoubtful(undefined, 10_000));
  assert.not(inspected.isDoubtful('somebody else', 10_000));
  assert.not(inspected.isDoubtful(undefined, 10_250));
});

test('a look at all says how much has come since the last', () => {
  const { inspection: inspected } = inspection();
  const [one, other] = [peer('one'), peer('other')];
  inspected.add(one, 0);
  inspected.add(other, 0);
  assert.is(inspected.inspect(250), 0);
  one.readBytes = 1_000;
  other.readBytes = 500;
  assert.is(inspected.inspect(500), 1_500);
  assert.is(inspected.inspect(750), 0);
});

test('of many peers that each hold what one may, those that hold most go first', () => {
  const { cuts, inspection: inspected } = inspection();
  const each = 8 * mib;
  const peers = Array.from({ length: looseBytesMax / each + 3 }, (_, index) => {
    const one = peer(`peer-${index}`);
    one.readBytes = each - index * kib;
    inspected.add(one, 0);
    return one;
  });
  inspected.inspect(250);
  assert.equal(
    cuts,
    peers.slice(0, cuts.length).map((one) => one.peer),
  );
  assert.ok(cuts.length >= 2 && cuts.length <= 4, `${cuts.length} of ${peers.length}`);
});

test('a connection is looked at by itself where much came on it', () => {
  const cut: string[] = [];
  const inspection = new Inspection({
    ...limits,
    banMs: 10_000,
    onCut: ({ peer }) => cut.push(peer),
  });
  let readBytes = 0;
  const one = {
    peer: 'one',
    culprit: undefined,
    traffic: () => ({ ...nothing, readBytes, pieceBytes: readBytes }),
    cut() {},
  };
  inspection.add(one, 0);
  readBytes = 9 * mib;
  assert.is(inspection.look(one, 1) > 8 * mib, true);
  assert.equal(cut, []);
  readBytes = 10 * mib;
  inspection.look(one, 2);
  assert.equal(cut, ['one']);
  assert.is(inspection.look(one, 3), 0, 'it is no longer there');
});

test.run();
