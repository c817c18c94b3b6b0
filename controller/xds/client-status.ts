/**
 * Client status (CSDS, `envoy/service/status/v3/csds.proto`) from the server's side: for each connected
 * proxy every resource that it is to have or still has, and whether it has acknowledged it. Of secrets it
 * tells name, version and state, and never what is in them.
 */
import { errorText } from '../base/op-error.js';
import type { EncodedResource } from '../envoy/snapshot.js';
import type { MessageTypes } from '../generated/envoy-types.js';
import type { Caller } from './admission.js';
import type { Call, CallHandler } from './call.js';
import type { DiscoveryStream } from './discovery-stream.js';
import { typeUrlOf } from './encode-response.js';
import type { Hub } from './hub.js';
import { clientStatusBytesMax } from './limits.js';
import { matchesNode } from './node-matcher.js';
import { anyValue, decodeMessage, encodeMessage } from './protos.js';
import { deliveryState, resourceNames } from './proxy-resources.js';
import type { NodeMessage } from './requests.js';
import { desiredResource } from './snapshot-changes.js';
import { type Held, isEncoded, lastSent, type TypeState } from './type-state.js';

type Config = MessageTypes['envoy.service.status.v3.ClientConfig.GenericXdsConfig'];
type ConfigStatus = NonNullable<Config['config_status']>;

/**
 * The answer to the encoded request: of an operator's about every proxy, of any other caller about the
 * nodes that it may be. Throws where it cannot be read or asks for too much.
 */
export function clientStatus(hub: Hub, bytes: Buffer, caller: Caller): Buffer {
  const request = decodeMessage('envoy.service.status.v3.ClientStatusRequest', bytes);
  const matchers = request.node_matchers ?? [];
  const isBrief = request.exclude_resource_contents ?? false;
  let sizeBytes = 0;
  const config = [...hub.streams].flatMap((stream) => {
    const isSeen = caller.isOperator || caller.mayBe(stream.nodeId);
    if (stream.node === undefined || !isSeen || !matchesNode(matchers, stream.node)) {
      return [];
    }
    const configs = [...stream.state.types.values()].flatMap((state) =>
      resourceConfigs(stream, state, isBrief),
    );
    sizeBytes += configs.reduce((sum, each) => sum + sizeOf(each), 0);
    if (sizeBytes > clientStatusBytesMax) {
      throw new Error('too much to tell: narrow node_matchers or set exclude_resource_contents');
    }
    return [{ node: shown(stream.node), generic_xds_configs: configs, client_scope: stream.id }];
  });
  return encodeMessage('envoy.service.status.v3.ClientStatusResponse', { config });
}

/** What tells proxies apart. The rest of a node is long: every extension that an Envoy has in it. */
function shown({ id, cluster, metadata, locality }: NodeMessage): NodeMessage {
  return { id, cluster, metadata, locality };
}

/** The streaming form: one answer to each request. */
export class ClientStatusStream implements CallHandler {
  private readonly hub: Hub;
  private readonly call: Call;
  private isWriting = false;
  private latest: Buffer | undefined;

  constructor(hub: Hub, call: Call) {
    this.hub = hub;
    this.call = call;
  }

  onMessage(request: Buffer): undefined {
    this.latest = request;
    this.answer();
  }

  onEnd(): void {
    this.latest = undefined;
  }

  /** A client that asks faster than it reads is answered its newest request. */
  private answer(): void {
    const request = this.latest;
    if (request === undefined || this.isWriting) {
      return;
    }
    this.latest = undefined;
    try {
      const response = clientStatus(this.hub, request, this.call.caller);
      this.isWriting = true;
      this.call.write([response], () => {
        this.isWriting = false;
        this.answer();
      });
    } catch (error) {
      this.call.end('invalidArgument', errorText(error));
    }
  }
}

function resourceConfigs(
  stream: DiscoveryStream,
  state: TypeState,
  isBrief: boolean,
): readonly Config[] {
  const { snapshot } = stream.state;
  return resourceNames(stream, state).flatMap((name) => {
    const desired = snapshot && desiredResource(snapshot, state.type, name);
    const resource = desired ?? lastSent(state, name);
    return resource === undefined ? [] : [configOf(state, resource, { desired, isBrief })];
  });
}

function configOf(
  state: TypeState,
  resource: Held,
  options: { readonly desired: EncodedResource | undefined; readonly isBrief: boolean },
): Config {
  const { name, version } = resource;
  const typeUrl = typeUrlOf(state.type);
  const timestamp = {
    seconds: Math.floor(state.status.sinceMs / 1000),
    nanos: (state.status.sinceMs % 1000) * 1e6,
  };
  const contents =
    isEncoded(resource) && !options.isBrief && state.type !== 'secret'
      ? { type_url: typeUrl, value: anyValue(resource.any) }
      : undefined;
  const refusal = state.refused.get(name)?.get(version);
  return {
    type_url: typeUrl,
    name,
    version_info: version,
    xds_config: contents,
    last_updated: timestamp,
    config_status: refusal === undefined ? configStatus(state, name, options.desired) : 'ERROR',
    error_state:
      refusal === undefined
        ? undefined
        : { failed_configuration: contents, details: refusal, version_info: version },
  };
}

const statusOf = { synced: 'SYNCED', stale: 'STALE', notSent: 'NOT_SENT' } as const;

function configStatus(
  state: TypeState,
  name: string,
  desired: EncodedResource | undefined,
): ConfigStatus {
  return statusOf[deliveryState(state, name, desired)];
}

function sizeOf(config: Config): number {
  const value = config.xds_config?.value;
  return 200 + (value instanceof Uint8Array ? value.length : 0);
}
