/**
 * Responses as bytes. Each resource is encoded once for all streams, and so is the part of a response
 * that streams with the same view share; version and nonce are put behind it. Fields of a message may
 * stand in any order, so nothing is ever decoded or encoded again.
 */
import { forgetOldest } from '../base/forget-oldest.js';
import {
  type EncodedResource,
  protoTypeOf,
  type ResourceSet,
  type ResourceType,
} from '../envoy/snapshot.js';
import type { Response, Variant } from './stream-state.js';
import { elementFields, fieldHeader, textField } from './wire.js';

/** Field numbers of `DiscoveryResponse` and `DeltaDiscoveryResponse`, which differ in one. */
const versionField = 1;
const resourcesField = 2;
const typeUrlField = 4;
const nonceField = 5;
const removedResourcesField = 6;
const controlPlaneField: Readonly<Record<Variant, number>> = { sotw: 6, delta: 7 };

/** Field numbers of `Resource`, in which delta wraps each resource. */
const resourceVersionField = 1;
const resourceAnyField = 2;
const resourceNameField = 3;

/** Of `ControlPlane`. */
const identifierField = 1;

/** Up to this many resources, streams find a response that another one was given by its versions. */
const sharedResourcesMax = 32;

/** Shared parts kept; the oldest goes first. One publication makes a handful for each kind of proxy. */
const sharedBodiesMax = 512;

export interface ResponseEncoder {
  /** The message in parts. Large ones are shared, and must not be changed. */
  encode(response: Response): readonly Buffer[];
}

/** An encoder whose responses name `controlPlane` as their sender. */
export function createResponseEncoder(controlPlane: string): ResponseEncoder {
  const wholeSets: Record<Variant, WeakMap<ResourceSet, Buffer>> = {
    sotw: new WeakMap(),
    delta: new WeakMap(),
  };
  const bodies = new Map<string, Buffer>();
  const trailers = new Map<string, Buffer>();

  const trailer = ({ type, variant, version }: Response): Buffer => {
    const key = `${type} ${variant} ${version}`;
    const known =
      trailers.get(key) ??
      Buffer.concat([textField(versionField, version), senderFields(type, variant, controlPlane)]);
    remember(trailers, key, known);
    return known;
  };
  const body = (response: Response): Buffer => {
    const { resources, variant, wholeSet } = response;
    if (wholeSet !== undefined) {
      const known = wholeSets[variant].get(wholeSet) ?? resourceFields(resources, variant);
      wholeSets[variant].set(wholeSet, known);
      return known;
    }
    if (resources.length === 0 || resources.length > sharedResourcesMax) {
      return resourceFields(resources, variant);
    }
    const key = `${variant} ${resources.map((resource) => resource.version).join(' ')}`;
    const known = bodies.get(key) ?? resourceFields(resources, variant);
    remember(bodies, key, known);
    return known;
  };
  return {
    encode: (response) => [
      elementFields(removedResourcesField, response.removed),
      textField(nonceField, response.nonce),
      trailer(response),
      body(response),
    ],
  };
}

function remember(bodies: Map<string, Buffer>, key: string, body: Buffer): void {
  if (bodies.get(key) === body) {
    return;
  }
  bodies.set(key, body);
  forgetOldest(bodies, sharedBodiesMax);
}

function senderFields(type: ResourceType, variant: Variant, controlPlane: string): Buffer {
  const identifier = textField(identifierField, controlPlane);
  return Buffer.concat([
    textField(typeUrlField, typeUrlOf(type)),
    fieldHeader(controlPlaneField[variant], identifier.length),
    identifier,
  ]);
}

export function typeUrlOf(type: ResourceType): string {
  return `type.googleapis.com/${protoTypeOf[type]}`;
}

function resourceFields(resources: readonly EncodedResource[], variant: Variant): Buffer {
  const parts = resources.flatMap((resource) => {
    const bytes = variant === 'sotw' ? resource.any : wrappedResource(resource);
    return [fieldHeader(resourcesField, bytes.length), bytes];
  });
  return Buffer.concat(parts);
}

function wrappedResource(resource: EncodedResource): Buffer {
  return Buffer.concat([
    textField(resourceVersionField, resource.version),
    fieldHeader(resourceAnyField, resource.any.length),
    resource.any,
    textField(resourceNameField, resource.name),
  ]);
}
