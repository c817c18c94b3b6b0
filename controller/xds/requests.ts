/**
 * Discovery requests from bytes to what the stream's state machine takes. What a client may not send
 * is said as a gRPC status, so that it shows in the client's own log.
 */
import { atOnce, type InParts, inParts, type Resumable } from '../base/in-parts.js';
import { errorText } from '../base/op-error.js';
import { type ResourceType, resourceTypes } from '../envoy/snapshot.js';
import type { MessageTypes } from '../generated/envoy-types.js';
import type { DeltaRequest } from './delta.js';
import { typeUrlOf } from './encode-response.js';
import { FieldSorter, type TakenOut } from './field-sorter.js';
import { namesPerPart, nodeBytesMax } from './limits.js';
import { decodeNames, decodeNamesInParts, type NamedList } from './named-list.js';
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
  as(type: ResourceType): TypedRequest;
  /** The same of a request that may be long. */
  asInParts(type: ResourceType): InParts<TypedRequest>;
}

/** A request whose node takes more than `nodeBytesMax`. It was not decoded. */
class NodeTooLarge extends Error {}

/**
 * The rule of the protocol that `request` breaks, in words for the client; undefined: none. `node` is who the
 * client has said to be: only its first request is bound to say so, whatever its type.
 */
export function breachOf(
  { typeUrl, node: said }: DecodedRequest,
  node: NodeMessage | undefined,
  { isAggregated }: { readonly isAggregated: boolean },
): string | undefined {
  if (typeUrl === '' && isAggregated) {
    return 'type_url is empty, which an aggregated stream needs';
  }
  if (node === undefined) {
    return said === undefined ? 'node is empty in the first request of the stream' : undefined;
  }
  const isSame = said === undefined || (said.id ?? '') === (node.id ?? '');
  return isSame ? undefined : `node.id is ${said.id}, and was ${node.id} before`;
}

/** How a stream ends whose request cannot be read, by what reading it threw. */
export function unreadable(error: unknown): {
  readonly status: 'invalidArgument' | 'resourceExhausted';
  readonly message: string;
} {
  return error instanceof NodeTooLarge
    ? { status: 'resourceExhausted', message: error.message }
    : { status: 'invalidArgument', message: `the request cannot be read: ${errorText(error)}` };
}

/**
 * A request of no more bytes has too few names to take long, and is read without pauses: an acknowledgement
 * costs a microsecond or two so, and several in parts.
 */
export const shortRequestBytes = 16 * 1024;

/** Throws where `bytes` are no such request, or one whose node is larger than any may be. */
export function decodeRequest(variant: Variant, bytes: Buffer): DecodedRequest {
  return requestOf(variant, atOnce(new FieldSorter(bytes, listsOf[variant])));
}

/** The same of a request that may be long. */
export function* decodeRequestInParts(variant: Variant, bytes: Buffer): InParts<DecodedRequest> {
  const sorter = new FieldSorter(bytes, listsOf[variant]);
  return requestOf(variant, yield* inParts(sorter, fieldsPerPart));
}

/** Going past a field costs a tenth of what taking a name does. */
const fieldsPerPart = 10 * namesPerPart;

function requestOf(variant: Variant, taken: TakenOut): DecodedRequest {
  return variant === 'sotw' ? sotwRequest(taken) : deltaRequest(taken);
}

/**
 * Field numbers of the long lists in `DiscoveryRequest` and `DeltaDiscoveryRequest`: names; names to subscribe
 * to and to unsubscribe from, and the versions that a client brings along.
 */
const listsOf: Readonly<Record<Variant, readonly number[]>> = { sotw: [3], delta: [3, 4, 5] };

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

function sotwRequest({ runs, counts: [nameCount = 0] }: TakenOut): DecodedRequest {
  const [names = empty, rest = empty] = runs;
  checkNode('sotw', rest);
  const message =
    plainTexts(rest, sotwTexts) ??
    decodeMessage('envoy.service.discovery.v3.DiscoveryRequest', rest);
  const typed = (type: ResourceType, resourceNames: NamedList): TypedRequest => ({
    kind: 'sotw',
    type,
    versionInfo: message.version_info ?? '',
    resourceNames,
    nonce: message.response_nonce ?? '',
    ...errorOf(message.error_detail),
  });
  return {
    node: message.node,
    typeUrl: message.type_url ?? '',
    nameCount,
    droppedCount: 0,
    as: (type) => typed(type, decodeNames(names)),
    *asInParts(type) {
      return typed(type, yield* decodeNamesInParts(names));
    },
  };
}

function deltaRequest({ runs, counts }: TakenOut): DecodedRequest {
  const [subscribe = empty, unsubscribe = empty, versions = empty, rest = empty] = runs;
  const [subscribed = 0, droppedCount = 0, brought = 0] = counts;
  checkNode('delta', rest);
  const message =
    plainTexts(rest, deltaTexts) ??
    decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', rest);
  const typed = (
    type: ResourceType,
    lists: Pick<DeltaRequest, 'subscribe' | 'unsubscribe' | 'initialVersions'>,
  ): TypedRequest => ({
    kind: 'delta',
    type,
    ...lists,
    nonce: message.response_nonce ?? '',
    ...errorOf(message.error_detail),
  });
  return {
    node: message.node,
    typeUrl: message.type_url ?? '',
    nameCount: Math.max(subscribed, brought),
    droppedCount,
    as: (type) =>
      typed(type, {
        subscribe: decodeNames(subscribe),
        unsubscribe: decodeNames(unsubscribe),
        initialVersions: atOnce(new VersionDecoder(versions)),
      }),
    *asInParts(type) {
      return typed(type, {
        subscribe: yield* decodeNamesInParts(subscribe),
        unsubscribe: yield* decodeNamesInParts(unsubscribe),
        initialVersions: yield* inParts(new VersionDecoder(versions), namesPerPart),
      });
    },
  };
}

function checkNode(variant: Variant, rest: Buffer): void {
  if (rest.length > nodeBytesMax && nodeBytes(variant, rest) > nodeBytesMax) {
    throw new NodeTooLarge(`the node takes more than ${nodeBytesMax} bytes`);
  }
}

const empty = Buffer.alloc(0);

/** Of an entry of a map with strings for keys and values. */
const keyField = 1;
const valueField = 2;

/** Of the entries of `initial_resource_versions`, with their tags. A unit is an entry. */
class VersionDecoder implements Resumable<ReadonlyMap<string, string>> {
  private readonly bytes: Buffer;
  private readonly entries: FieldReader;
  private readonly versions = new Map<string, string>();

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.entries = new FieldReader(bytes);
  }

  goOn(units: number): boolean {
    for (let left = units; left > 0; left -= 1) {
      if (!this.entries.next()) {
        return true;
      }
      this.take();
    }
    return false;
  }

  result(): ReadonlyMap<string, string> {
    return this.versions;
  }

  private take(): void {
    const { bytes, entries } = this;
    let name = '';
    let version = '';
    for (const entry = new FieldReader(bytes, entries.start, entries.end); entry.next(); ) {
      if (entry.field === keyField) {
        name = bytes.toString('utf8', entry.start, entry.end);
      } else if (entry.field === valueField) {
        version = bytes.toString('utf8', entry.start, entry.end);
      }
    }
    this.versions.set(name, version);
  }
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
