/**
 * Discovery requests from bytes to what the stream's state machine takes. What a client may not send
 * is said as a gRPC status, so that it shows in the client's own log.
 */
import { type ResourceType, resourceTypes } from '../envoy/snapshot.js';
import type { MessageTypes } from '../generated/envoy-types.js';
import { typeUrlOf } from './encode-response.js';
import { decodeNames } from './named-list.js';
import { decodeMessage } from './protos.js';
import type { TypedRequest } from './stream.js';
import type { Variant } from './stream-state.js';
import { FieldReader } from './wire.js';

export type NodeMessage = MessageTypes['envoy.config.core.v3.Node'];

export interface DecodedRequest {
  readonly node?: NodeMessage;
  /** Empty where the client left it out. */
  readonly typeUrl: string;
  /** The request, once its type is known to be `type`. */
  as(type: ResourceType): TypedRequest;
}

/** Throws where `bytes` are no such request. */
export function decodeRequest(variant: Variant, bytes: Buffer): DecodedRequest {
  return variant === 'sotw' ? decodeSotw(bytes) : decodeDelta(bytes);
}

/** Field numbers of `DiscoveryRequest` and `DeltaDiscoveryRequest`. */
const sotwNamesField = 3;
const subscribeField = 3;
const unsubscribeField = 4;
const initialVersionsField = 5;

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

function decodeSotw(bytes: Buffer): DecodedRequest {
  const { names, rest } = takeOut(bytes, { names: sotwNamesField });
  const message =
    plainTexts(rest, sotwTexts) ??
    decodeMessage('envoy.service.discovery.v3.DiscoveryRequest', rest);
  return {
    node: message.node,
    typeUrl: message.type_url ?? '',
    as: (type) => ({
      kind: 'sotw',
      type,
      versionInfo: message.version_info ?? '',
      resourceNames: decodeNames(names),
      nonce: message.response_nonce ?? '',
      ...errorOf(message.error_detail),
    }),
  };
}

function decodeDelta(bytes: Buffer): DecodedRequest {
  const { subscribe, unsubscribe, versions, rest } = takeOut(bytes, {
    subscribe: subscribeField,
    unsubscribe: unsubscribeField,
    versions: initialVersionsField,
  });
  const message =
    plainTexts(rest, deltaTexts) ??
    decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', rest);
  return {
    node: message.node,
    typeUrl: message.type_url ?? '',
    as: (type) => ({
      kind: 'delta',
      type,
      subscribe: decodeNames(subscribe),
      unsubscribe: decodeNames(unsubscribe),
      initialVersions: decodeVersions(versions),
      nonce: message.response_nonce ?? '',
      ...errorOf(message.error_detail),
    }),
  };
}

/**
 * The bytes of the fields that may be there thousands of times, by the name that they are given in
 * `fields`, and the `rest`, which is a short message.
 */
function takeOut<K extends string>(
  bytes: Buffer,
  fields: Readonly<Record<K, number>>,
): Readonly<Record<K | 'rest', Buffer>> {
  const runs = new Map<number, Buffer[]>();
  const entries = Object.entries<number>(fields);
  const taken = new Set(entries.map(([, field]) => field));
  const none = -1;
  let run = none;
  let begin = 0;
  const close = (end: number): void => {
    const list = runs.get(run) ?? [];
    runs.set(run, list);
    list.push(bytes.subarray(begin, end));
    begin = end;
  };
  const reader = new FieldReader(bytes);
  while (reader.next()) {
    const field = taken.has(reader.field) ? reader.field : none;
    if (field !== run) {
      close(reader.begin);
      run = field;
    }
  }
  close(bytes.length);
  const joined = (field: number): Buffer => {
    const [first = empty, ...others] = (runs.get(field) ?? []).filter((each) => each.length > 0);
    return others.length === 0 ? first : Buffer.concat([first, ...others]);
  };
  const parts = entries.map(([key, field]) => [key, joined(field)] as const);
  return Object.fromEntries([...parts, ['rest', joined(none)]]) as Record<K | 'rest', Buffer>;
}

const empty = Buffer.alloc(0);

/** Of an entry of a map with strings for keys and values. */
const keyField = 1;
const valueField = 2;

/** `bytes`: the entries of `initial_resource_versions`, with their tags. */
function decodeVersions(bytes: Buffer): ReadonlyMap<string, string> {
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
