/**
 * Discovery requests from bytes to what the stream's state machine takes. What a client may not send
 * is said as a gRPC status, so that it shows in the client's own log.
 */
import { type ResourceType, resourceTypes } from '../envoy/snapshot.js';
import type { MessageTypes } from '../generated/envoy-types.js';
import { typeUrlOf } from './encode-response.js';
import { decodeMessage } from './protos.js';
import type { TypedRequest } from './stream.js';
import type { Variant } from './stream-state.js';

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

function decodeSotw(bytes: Buffer): DecodedRequest {
  const message = decodeMessage('envoy.service.discovery.v3.DiscoveryRequest', bytes);
  return {
    node: message.node,
    typeUrl: message.type_url ?? '',
    as: (type) => ({
      kind: 'sotw',
      type,
      versionInfo: message.version_info ?? '',
      resourceNames: message.resource_names ?? [],
      nonce: message.response_nonce ?? '',
      ...errorOf(message.error_detail),
    }),
  };
}

function decodeDelta(bytes: Buffer): DecodedRequest {
  const message = decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', bytes);
  return {
    node: message.node,
    typeUrl: message.type_url ?? '',
    as: (type) => ({
      kind: 'delta',
      type,
      subscribe: message.resource_names_subscribe ?? [],
      unsubscribe: message.resource_names_unsubscribe ?? [],
      initialVersions: new Map(Object.entries(message.initial_resource_versions ?? {})),
      nonce: message.response_nonce ?? '',
      ...errorOf(message.error_detail),
    }),
  };
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
