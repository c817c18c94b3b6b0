/**
 * A raw xDS client: it sends what a test says and acknowledges what a test says, so that every turn of
 * the protocol can be played, the wrong ones too. Waiting is always for a message, never for a time.
 */
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { present } from '../../controller/base/assert.js';
import { decodeMessage, encodeMessage } from '../../controller/envoy/encode.js';
import { protoTypeOf, type ResourceType, resourceTypes } from '../../controller/envoy/snapshot.js';
import type { MessageTypes } from '../../controller/generated/envoy-types.js';

/** How long a message may take before a test fails for it. */
const patienceMs = 30_000;

export const typeUrl = (type: ResourceType): string => `type.googleapis.com/${protoTypeOf[type]}`;

export const adsPath = {
  sotw: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
  delta: '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
} as const;

export type SotwMessage = MessageTypes['envoy.service.discovery.v3.DiscoveryRequest'];
export type DeltaMessage = MessageTypes['envoy.service.discovery.v3.DeltaDiscoveryRequest'];
export type NodeFields = MessageTypes['envoy.config.core.v3.Node'];

/** A discovery response of either variant. */
export interface Received {
  readonly type: ResourceType | undefined;
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  readonly controlPlane: string;
  /** In the order in which they came. */
  readonly names: readonly string[];
  /** Delta only: by name. */
  readonly versions: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
  /** Type URLs inside the resources. */
  readonly innerTypeUrls: readonly string[];
  readonly resources: readonly Readonly<Record<string, unknown>>[];
}

/** How a stream ended: gRPC's status code and text. */
export interface Ending {
  readonly code: number;
  readonly details: string;
}

export class XdsClient {
  readonly grpc: Client;
  private readonly metadata = new Metadata();

  constructor(
    target: { readonly address: string; readonly port: number },
    proof: { readonly channel?: ChannelCredentials; readonly token?: string } = {},
  ) {
    if (proof.token !== undefined) {
      this.metadata.set('authorization', `Bearer ${proof.token}`);
    }
    const channel = proof.channel ?? credentials.createInsecure();
    this.grpc = new Client(`${target.address}:${target.port}`, channel, {
      'grpc.ssl_target_name_override': 'headgate.internal',
      'grpc.max_receive_message_length': -1,
      // Every client its own connection: proxies do not share one either.
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  sotw(nodeId: string, path: string = adsPath.sotw): SotwStream {
    return new SotwStream(this.open(path), { id: nodeId });
  }

  delta(nodeId: string, path: string = adsPath.delta): DeltaStream {
    return new DeltaStream(this.open(path), { id: nodeId });
  }

  open(path: string): RawStream {
    const asBytes = (bytes: Buffer): Buffer => bytes;
    return new RawStream(this.grpc.makeBidiStreamRequest(path, asBytes, asBytes, this.metadata));
  }

  /** One call of a unary method. Rejects with gRPC's error. */
  call(path: string, request: Buffer): Promise<Buffer> {
    const asBytes = (bytes: Buffer): Buffer => bytes;
    return new Promise((resolve, reject) => {
      const { metadata } = this;
      this.grpc.makeUnaryRequest(path, asBytes, asBytes, request, metadata, (error, response) =>
        error === null ? resolve(present(response, 'response')) : reject(error),
      );
    });
  }

  close(): void {
    this.grpc.close();
  }
}

/** Messages as bytes, in the order in which they came. */
export class RawStream {
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  private readonly arrived: Buffer[] = [];
  private waiting: (() => void)[] = [];
  private ending: Ending | undefined;

  constructor(call: ClientDuplexStream<Buffer, Buffer>) {
    this.call = call;
    call.on('data', (message: Buffer) => {
      this.arrived.push(message);
      this.wake();
    });
    call.on('error', (error: ServiceError) => this.end(error));
    call.on('status', (status: Ending) => this.end(status));
  }

  /** The next message. Fails where the stream ends first, or where none comes. */
  async receive(what = 'a message', withinMs = patienceMs): Promise<Buffer> {
    await this.until(() => this.arrived.length > 0 || this.ending !== undefined, what, withinMs);
    const message = this.arrived.shift();
    if (message === undefined) {
      throw new Error(`expected ${what}, but the stream ended: ${this.ending?.details}`);
    }
    return message;
  }

  /** How the stream ended, once it has. */
  async ended(): Promise<Ending> {
    await this.until(() => this.ending !== undefined, 'the end of the stream');
    return present(this.ending, 'ending');
  }

  private async until(isTrue: () => boolean, what: string, withinMs = patienceMs): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    const stale = new Error(`expected ${what}, and nothing came in ${withinMs} ms`);
    while (!isTrue()) {
      await new Promise<void>((resolve, reject) => {
        const leftMs = deadlineMs - performance.now();
        const timer = setTimeout(() => reject(stale), Math.max(0, leftMs));
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  private end({ code, details }: Ending): void {
    this.ending ??= { code, details };
    this.wake();
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) {
      resolve();
    }
  }
}

/** The secret that `quiet` asks for; a test's snapshot has to have it. */
export const barrierName = 'barrier';

abstract class DiscoveryClientStream {
  readonly raw: RawStream;
  private node: NodeFields | undefined;

  constructor(raw: RawStream, node: NodeFields) {
    this.raw = raw;
    this.node = node;
  }

  /** The node goes with the first request only, as Envoy is set up. */
  protected takeNode(): NodeFields | undefined {
    const node = this.node;
    this.node = undefined;
    return node;
  }

  /** The next response; `what` names it where none comes. */
  abstract next(what?: string, withinMs?: number): Promise<Received>;
  protected abstract askForBarrier(): void;
  protected abstract ackBarrier(response: Received): void;

  /** The next response, which has to be of `type`. */
  async receive(type: ResourceType): Promise<Received> {
    const response = await this.next(`a response of ${type}`);
    if (response.type !== type) {
      throw new Error(`expected a response of ${type}, got ${describe(response)}`);
    }
    return response;
  }

  /** Everything that was sent, none of it acknowledged. */
  async drain(): Promise<readonly Received[]> {
    this.askForBarrier();
    const sent: Received[] = [];
    for (let response = await this.next(); ; response = await this.next()) {
      if (response.type === 'secret') {
        this.ackBarrier(response);
        return sent;
      }
      sent.push(response);
    }
  }

  /**
   * Fails where anything was sent. Secrets come last in every round of responses, so whatever had to be
   * sent has come before the answer for a secret that is asked for now.
   */
  async quiet(): Promise<void> {
    const [response] = await this.drain();
    if (response !== undefined) {
      throw new Error(`expected nothing, got ${describe(response)}`);
    }
  }
}

export class SotwStream extends DiscoveryClientStream {
  readonly variant = 'sotw';

  /** Sends `message`, with the node where it is the first. */
  send(type: ResourceType | undefined, message: SotwMessage = {}): void {
    const request: SotwMessage = {
      node: this.takeNode(),
      type_url: type === undefined ? undefined : typeUrl(type),
      ...message,
    };
    this.raw.call.write(encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', request));
  }

  ack(response: Received, names: readonly string[] = []): void {
    this.send(response.type, {
      type_url: response.typeUrl,
      version_info: response.version,
      response_nonce: response.nonce,
      resource_names: names,
    });
  }

  nack(response: Received, names: readonly string[] = [], message = 'no'): void {
    this.send(response.type, {
      type_url: response.typeUrl,
      response_nonce: response.nonce,
      resource_names: names,
      error_detail: { code: 3, message },
    });
  }

  async next(what = 'a response', withinMs = patienceMs): Promise<Received> {
    const bytes = await this.raw.receive(what, withinMs);
    const message = decodeMessage('envoy.service.discovery.v3.DiscoveryResponse', bytes);
    const resources = (message.resources ?? []) as readonly Readonly<Record<string, unknown>>[];
    return {
      ...envelope(message.type_url ?? '', message.nonce, message.control_plane),
      version: message.version_info ?? '',
      names: resources.map(nameOf),
      versions: new Map(),
      removed: [],
      innerTypeUrls: resources.map((resource) => String(resource['@type'])),
      resources,
    };
  }

  protected askForBarrier(): void {
    // Without a nonce: each time as if for the first time.
    this.send('secret', { resource_names: [barrierName] });
  }

  protected ackBarrier(response: Received): void {
    this.ack(response, [barrierName]);
  }
}

export class DeltaStream extends DiscoveryClientStream {
  readonly variant = 'delta';

  send(type: ResourceType | undefined, message: DeltaMessage = {}): void {
    const request: DeltaMessage = {
      node: this.takeNode(),
      type_url: type === undefined ? undefined : typeUrl(type),
      ...message,
    };
    this.raw.call.write(encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', request));
  }

  ack(response: Received, change: DeltaMessage = {}): void {
    this.send(response.type, {
      type_url: response.typeUrl,
      response_nonce: response.nonce,
      ...change,
    });
  }

  nack(response: Received, change: DeltaMessage = {}, message = 'no'): void {
    this.ack(response, { ...change, error_detail: { code: 3, message } });
  }

  async next(what = 'a response', withinMs = patienceMs): Promise<Received> {
    const bytes = await this.raw.receive(what, withinMs);
    const message = decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryResponse', bytes);
    const wrapped = message.resources ?? [];
    const resources = wrapped.map(
      ({ resource }) => (resource ?? {}) as Readonly<Record<string, unknown>>,
    );
    return {
      ...envelope(message.type_url ?? '', message.nonce, message.control_plane),
      version: message.system_version_info ?? '',
      names: wrapped.map(({ name = '' }) => name),
      versions: new Map(wrapped.map(({ name = '', version = '' }) => [name, version])),
      removed: message.removed_resources ?? [],
      innerTypeUrls: resources.map((resource) => String(resource['@type'])),
      resources,
    };
  }

  protected askForBarrier(): void {
    this.send('secret', { resource_names_subscribe: [barrierName] });
  }

  protected ackBarrier(response: Received): void {
    this.ack(response);
  }
}

function envelope(
  url: string,
  nonce: string | undefined,
  controlPlane: { readonly identifier?: string } | undefined,
) {
  return {
    type: resourceTypes.find((type) => typeUrl(type) === url),
    typeUrl: url,
    nonce: nonce ?? '',
    controlPlane: controlPlane?.identifier ?? '',
  };
}

function nameOf(resource: Readonly<Record<string, unknown>>): string {
  return String(resource.name ?? resource.cluster_name ?? '');
}

function describe({ typeUrl: url, names, removed }: Received): string {
  return `${url} with [${names.join(', ')}], removed [${removed.join(', ')}]`;
}
