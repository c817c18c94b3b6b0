/**
 * The state of one discovery stream, as data. `stream.ts` takes it from event to event; nothing here or
 * there knows gRPC, a clock or another stream.
 */
import {
  type EncodedResource,
  type ResourceSet,
  type ResourceType,
  resourceTypes,
  type Snapshot,
} from '../envoy/snapshot.js';
import { type Doubts, noDoubts } from './doubts.js';
import { createTypeState, type TypeState } from './type-state.js';

/** State of the world or incremental: the two variants of the protocol. */
export type Variant = 'sotw' | 'delta';

export interface StreamOptions {
  readonly variant: Variant;
  /** All types on an aggregated stream, one on the others. */
  readonly types: readonly ResourceType[];
  /** Makes the nonces of this stream different from those of every other. */
  readonly noncePrefix: string;
  /**
   * For how long an unanswered response holds back newer state of its type, in milliseconds. A client
   * that warms a cluster answers late, and one that is rolled back must not wait for that.
   */
  readonly ackTimeoutMs: number;
  /** A set that was served lately, by its version: what a client that reconnects still has. */
  findSet(type: ResourceType, version: string): ResourceSet | undefined;
  /** The resource that was served last under `name`, to any proxy. */
  findLatest(type: ResourceType, name: string): EncodedResource | undefined;
  /** Keeps a list that is no set of any snapshot for `findSet`. */
  keepSet(type: ResourceType, set: ResourceSet): void;
}

export interface StreamState {
  readonly options: StreamOptions;
  readonly types: ReadonlyMap<ResourceType, TypeState>;
  /** What the client is not believed to have, though it says so. */
  doubts: Doubts;
  /** Undefined while the proxy is not known: its requests wait. */
  snapshot: Snapshot | undefined;
  /** Of the newest publication. */
  generation: number;
  /** The newest generation whose resources the client has acknowledged all; 0: none yet. */
  ackedGeneration: number;
  /** Responses so far. */
  sentCount: number;
  /** What resources that the client has refer to and that it has not asked for yet; it will. */
  readonly awaited: Map<ResourceType, Set<string>>;
  /** Whole sets that the client has and of which the same may be true. */
  awaitedBy: readonly { readonly type: ResourceType; readonly set: ResourceSet }[];
}

/** What a response is to hold, before it has a nonce. */
export interface Content {
  readonly version: string;
  readonly resources: readonly EncodedResource[];
  /** In a full list those that are missing in it, else those that the client is told to drop. */
  readonly removed: readonly string[];
  /** The set that `resources` is, in its order, where it is one that streams share. */
  readonly wholeSet?: ResourceSet;
}

/** A response to send. Its bytes are the shell's business. */
export interface Response {
  readonly variant: Variant;
  readonly type: ResourceType;
  /** `version_info`, or `system_version_info`, which is for people only. */
  readonly version: string;
  readonly nonce: string;
  readonly resources: readonly EncodedResource[];
  /** Empty in the state of the world. */
  readonly removed: readonly string[];
  /** As in `Content`: its bytes are shared. */
  readonly wholeSet?: ResourceSet;
}

export function createStream(options: StreamOptions, nowMs: number): StreamState {
  const isFullState = (type: ResourceType) =>
    options.variant === 'sotw' && (type === 'cluster' || type === 'listener');
  return {
    options,
    types: new Map(
      resourceTypes
        .filter((type) => options.types.includes(type))
        .map((type) => [type, createTypeState(type, { isFullState: isFullState(type), nowMs })]),
    ),
    doubts: noDoubts,
    snapshot: undefined,
    generation: 0,
    ackedGeneration: 0,
    sentCount: 0,
    awaited: new Map(),
    awaitedBy: [],
  };
}
