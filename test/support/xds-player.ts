/**
 * A client that plays either variant of the protocol with the same few words, and remembers what it asked
 * for, so that one test says what both must do.
 */
import type { ResourceType } from '../../controller/envoy/snapshot.js';
import type { DeltaStream, Received, SotwStream, XdsClient } from './xds-client.js';

export interface XdsPlayer {
  /** Asks for all of a type (clusters, listeners), or for more names of it. */
  ask(type: ResourceType, names?: readonly string[]): void;
  receive(type: ResourceType): Promise<Received>;
  ack(response: Received): void;
  nack(response: Received, message?: string): void;
  /** Asks, receives and acknowledges. */
  take(type: ResourceType, names?: readonly string[]): Promise<Received>;
  /** Receives and acknowledges. */
  accept(type: ResourceType): Promise<Received>;
  /** Acknowledges everything until nothing more comes. */
  acceptAll(): Promise<readonly Received[]>;
  /** Fails where anything was sent. */
  quiet(): Promise<void>;
  /** Half-closes the stream. */
  end(): void;
}

export const variants = ['sotw', 'delta'] as const;

export function createPlayer(
  client: XdsClient,
  nodeId: string,
  variant: (typeof variants)[number],
): XdsPlayer {
  const wanted = new Map<ResourceType, readonly string[]>();
  const newest = new Map<ResourceType, Received>();
  const stream = variant === 'sotw' ? client.sotw(nodeId) : client.delta(nodeId);
  const namesOf = (type: ResourceType | undefined): readonly string[] =>
    (type && wanted.get(type)) ?? [];
  const player: XdsPlayer = {
    ask(type, names = []) {
      const known = namesOf(type);
      wanted.set(type, [...known, ...names]);
      askOn(stream, type, { added: names, all: namesOf(type), newest: newest.get(type) });
    },
    async receive(type) {
      const response = await stream.receive(type);
      newest.set(type, response);
      return response;
    },
    ack(response) {
      if (stream.variant === 'sotw') {
        stream.ack(response, namesOf(response.type));
      } else {
        stream.ack(response);
      }
    },
    nack(response, message) {
      if (stream.variant === 'sotw') {
        stream.nack(response, namesOf(response.type), message);
      } else {
        stream.nack(response, {}, message);
      }
    },
    async take(type, names) {
      player.ask(type, names);
      return await player.accept(type);
    },
    async accept(type) {
      const response = await player.receive(type);
      player.ack(response);
      return response;
    },
    async acceptAll() {
      const all: Received[] = [];
      for (let round = await stream.drain(); round.length > 0; round = await stream.drain()) {
        all.push(...round);
        for (const response of round) {
          player.ack(response);
        }
      }
      return all;
    },
    quiet: () => stream.quiet(),
    end: () => void stream.raw.call.end(),
  };
  return player;
}

function askOn(
  stream: SotwStream | DeltaStream,
  type: ResourceType,
  names: {
    readonly added: readonly string[];
    readonly all: readonly string[];
    readonly newest?: Received;
  },
): void {
  if (stream.variant === 'sotw') {
    stream.send(type, {
      resource_names: names.all,
      response_nonce: names.newest?.nonce,
      version_info: names.newest?.version,
    });
  } else {
    stream.send(type, { resource_names_subscribe: names.added });
  }
}
