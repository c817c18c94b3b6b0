/**
 * Discovery requests from bytes to what the stream's state machine takes. What a client may not send
 * is said as a gRPC status, so that it shows in the client's own log.
 */
import type { InParts } from '../base/in-parts.js';
import { errorText } from '../base/op-error.js';
import { type ResourceType, resourceTypes } from '../envoy/snapshot.js';
import type { MessageTypes } from '../generated/envoy-types.js';
import { typeUrlOf } from './encode-response.js';
import { namesPerPart, nodeBytesMax } from './limits.js';
import { decodeNames } from './named-list.js';
import { nodeBytes } from './node-size.js';
import { decodeMessage } from './protos.js';
import type { TypedRequest } from './stream.js';
import type { Variant } from './stream-state.js';
import { FieldReader } from './wire.js';

export type NodeMessage = MessageTypes['envoy.config.core.v3.Node'];

export interface DecodedRequest {
  readonly node?: NodeMessage;
  /** Empty where the client left it out. */
  readonly typeUrl: string;
  /** Names that it subscribes to, or versions that it brings along where those are more; counted undecoded. */
  readonly nameCount: number;
  /** Names that it unsubscribes from. */
  readonly droppedCount: number;
  /** The request, once its type is known to be `type`. */
  as(type: ResourceType): InParts<TypedRequest>;
}

/** A request whose node takes more than `nodeBytesMax`. It was not decoded. */
class NodeTooLarge extends Error {}

/** What `work` comes to, or how a stream ends whose request cannot be read. */
export function* readable<T>(
  work: InParts<T>,
): InParts<
  | { readonly value: T }
  | { readonly status: 'invalidArgument' | 'resourceExhausted'; readonly message: string }
> {
  try {
    return { value: yield* work };
  } catch (error) {
    return error instanceof NodeTooLarge
      ? { status: 'resourceExhausted', message: error.message }
      : { status: 'invalidArgument', message: `the request cannot be read: ${errorText(error)}` };
  }
}

/** Throws where `bytes` are no such request, or one that is larger than any may be. */
export function decodeRequest(variant: Variant, bytes: Buffer): InParts<DecodedRequest> {
  return variant === 'sotw' ? decodeSotw(bytes) : decodeDelta(bytes);
}

/** Field numbers of `DiscoveryRequest` and `DeltaDiscoveryRequest`. */
const sotwLists = [3] as const;
/** Names to subscribe to and to unsubscribe from, and the versions that a client brings along. */
const deltaLists = [3, 4, 5] as const;

type TextKey = 'version_info' | 'type_url' | 'response_nonce';
const sotwTexts = new Map<number, TextKey>([
  [1, 'version_info'],
  [4, 'type_url'],
  [5, 'response_nonce'],
]);
const deltaTexts = new Map<number, TextKey>([
  [2, 'type_url'],
  [6, 'response_nonce'],
]);

interface PlainRequest extends Partial<Record<TextKey, string>> {
  readonly node?: undefined;
  readonly error_detail?: undefined;
}

/**
 * The request where it is an acknowledgement or asks for names, which are nearly all: a few texts, read
 * without the protobuf library. Undefined where there is more in it.
 */
function plainTexts(bytes: Buffer, keys: ReadonlyMap<number, TextKey>): PlainRequest | undefined {
  const texts: Partial<Record<TextKey, string>> = {};
  for (const reader = new FieldReader(bytes); reader.next(); ) {
    const key = keys.get(reader.field);
    if (key === undefined || !reader.isBytes) {
      return undefined;
    }
    texts[key] = bytes.toString('utf8', reader.start, reader.end);
  }
  return texts;
}

function* decodeSotw(bytes: Buffer): InParts<DecodedRequest> {
  const {
    runs: [names = empty, rest = empty],
    counts: [nameCount = 0],
  } = yield* takeOut(bytes, sotwLists);
  checkNode('sotw', rest);
  const message =
    plainTexts(rest, sotwTexts) ??
    decodeMessage('envoy.service.discovery.v3.DiscoveryRequest', rest);
  return {
    node: message.node,
    typeUrl: message.type_url ?? '',
    nameCount,
    droppedCount: 0,
    *as(type) {
      return {
        kind: 'sotw',
        type,
        versionInfo: message.version_info ?? '',
        resourceNames: yield* decodeNames(names),
        nonce: message.response_nonce ?? '',
        ...errorOf(message.error_detail),
      };
    },
  };
}

function* decodeDelta(bytes: Buffer): InParts<DecodedRequest> {
  const {
    runs: [subscribe = empty, unsubscribe = empty, versions = empty, rest = empty],
    counts: [subscribed = 0, droppedCount = 0, brought = 0],
  } = yield* takeOut(bytes, deltaLists);
  checkNode('delta', rest);
  const message =
    plainTexts(rest, deltaTexts) ??
    decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', rest);
  return {
    node: message.node,
    typeUrl: message.type_url ?? '',
    nameCount: Math.max(subscribed, brought),
    droppedCount,
    *as(type) {
      return {
        kind: 'delta',
        type,
        subscribe: yield* decodeNames(subscribe),
        unsubscribe: yield* decodeNames(unsubscribe),
        initialVersions: yield* decodeVersions(versions),
        nonce: message.response_nonce ?? '',
        ...errorOf(message.error_detail),
      };
    },
  };
}

function checkNode(variant: Variant, rest: Buffer): void {
  if (rest.length > nodeBytesMax && nodeBytes(variant, rest) > nodeBytesMax) {
    throw new NodeTooLarge(`the node takes more than ${nodeBytesMax} bytes`);
  }
}

interface TakenOut {
  readonly runs: readonly Buffer[];
  /** How many fields each run has. */
  readonly counts: readonly number[];
}

/**
 * The bytes of the fields that may be there thousands of times, in the order of `fields`, and behind them
 * the rest, which is a short message. Most requests have none of those and are their own rest; every
 * acknowledgement of every proxy comes through here, so nothing is made that is not needed.
 */
function* takeOut(bytes: Buffer, fields: readonly number[]): InParts<TakenOut> {
  const sorter = new FieldSorter(bytes, fields);
  while (!sorter.sort(fieldsPerPart)) {
    yield;
  }
  return sorter.result();
}

class FieldSorter {
  private readonly bytes: Buffer;
  private readonly fields: readonly number[];
  private readonly reader: FieldReader;
  private readonly counts: number[];
  private readonly runs: (Buffer[] | undefined)[];
  private place: number;
  private begin = 0;
  private switches = 0;

  constructor(bytes: Buffer, fields: readonly number[]) {
    this.bytes = bytes;
    this.fields = fields;
    this.reader = new FieldReader(bytes);
    this.place = fields.length;
    this.counts = new Array(fields.length + 1).fill(0);
    this.runs = new Array(fields.length + 1).fill(undefined);
  }

  /** Goes past at most so many fields. True: those were all. */
  sort(fieldsMax: number): boolean {
    const { reader, fields, counts } = this;
    for (let left = fieldsMax; left > 0; left -= 1) {
      if (!reader.next()) {
        return true;
      }
      const found = fields.indexOf(reader.field);
      const next = found < 0 ? fields.length : found;
      counts[next] = (counts[next] ?? 0) + 1;
      if (next !== this.place) {
        this.close(reader.begin);
        this.place = next;
      }
    }
    return false;
  }

  result(): TakenOut {
    this.close(this.bytes.length);
    return { runs: this.runs.map(joined), counts: this.counts };
  }

  private close(end: number): void {
    const { begin, bytes, place } = this;
    if (end === begin) {
      return;
    }
    this.switches += 1;
    if (this.switches > switchesMax) {
      throw new RangeError('names stand between other fields, over and over');
    }
    const list = this.runs[place] ?? [];
    this.runs[place] = list;
    list.push(begin === 0 && end === bytes.length ? bytes : bytes.subarray(begin, end));
    this.begin = end;
  }
}

/** Writers put the elements of a list one after another; each change costs what a hundred names do. */
const switchesMax = 1_000;

/** Going past a field costs a tenth of what taking a name does. */
const fieldsPerPart = 10 * namesPerPart;

function joined(run: readonly Buffer[] | undefined): Buffer {
  const [first = empty, ...others] = run ?? [];
  return others.length === 0 ? first : Buffer.concat([first, ...others]);
}

const empty = Buffer.alloc(0);

/** Of an entry of a map with strings for keys and values. */
const keyField = 1;
const valueField = 2;

/** `bytes`: the entries of `initial_resource_versions`, with their tags. */
function* decodeVersions(bytes: Buffer): InParts<ReadonlyMap<string, string>> {
  const versions = new Map<string, string>();
  for (const entries = new FieldReader(bytes); entries.next(); ) {
    let name = '';
    let version = '';
    for (const entry = new FieldReader(bytes, entries.start, entries.end); entry.next(); ) {
      if (entry.field === keyField) {
        name = bytes.toString('utf8', entry.start, entry.end);
      } else if (entry.field === valueField) {
        version = bytes.toString('utf8', entry.start, entry.end);
      }
    }
    versions.set(name, version);
    if (versions.size % namesPerPart === 0) {
      yield;
    }
  }
  return versions;
}

/** The presence of `error_detail` is the refusal, whatever is in it. */
function errorOf(detail: MessageTypes['google.rpc.Status'] | undefined): { error?: string } {
  return detail === undefined ? {} : { error: detail.message || 'refused without a reason' };
}

const typeByUrl = new Map(resourceTypes.map((type) => [typeUrlOf(type), type]));

/** The type of `typeUrl`; undefined where this server has no such resources. */
export function typeOfUrl(typeUrl: string): ResourceType | undefined {
  return typeByUrl.get(typeUrl);
}

/** `envoy 1.40.0`, as the node says; empty where it says nothing. */
export function userAgentOf(node: NodeMessage): string {
  const { major_number, minor_number, patch } = node.user_agent_build_version?.version ?? {};
  const build =
    major_number === undefined && minor_number === undefined
      ? ''
      : `${major_number ?? 0}.${minor_number ?? 0}.${patch ?? 0}`;
  return `${node.user_agent_name ?? ''} ${node.user_agent_version || build}`.trim();
}
