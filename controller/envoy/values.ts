/**
 * The small messages that Envoy's resources are full of: durations, wrapped integers, structs, addresses
 * and the two config sources. One spelling of each keeps the bytes of the resources stable.
 */
import type {
  envoy_config_core_v3_Address as Address,
  envoy_config_core_v3_ConfigSource as ConfigSource,
  google_protobuf_Duration as Duration,
  google_protobuf_Struct as Struct,
  google_protobuf_Value as Value,
} from '../generated/envoy-types.js';
import type { SocketAddress } from './snapshot.js';

/** From whole milliseconds, 0 or more. */
export function duration(durationMs: number): Duration {
  const seconds = Math.floor(durationMs / 1000);
  const nanos = Math.round((durationMs - seconds * 1000) * 1e6);
  return nanos === 0 ? { seconds } : { seconds, nanos };
}

/** `value` as a wrapper message, which tells 0 from absent; undefined stays undefined. */
export function wrapped<T extends number | boolean>(value: T): { readonly value: T };
export function wrapped<T extends number | boolean>(
  value: T | undefined,
): { readonly value: T } | undefined;
export function wrapped<T>(value: T | undefined): { readonly value: T } | undefined {
  return value === undefined ? undefined : { value };
}

/** Plain JSON as a protobuf struct; members that are undefined are left out. */
export function struct(plain: Readonly<Record<string, unknown>>): Struct {
  const entries = Object.entries(plain).filter(([, value]) => value !== undefined);
  return { fields: Object.fromEntries(entries.map(([key, value]) => [key, structValue(value)])) };
}

/** protobufjs brings its own struct.proto, whose field names are in camel case. */
function structValue(plain: unknown): Value {
  if (typeof plain === 'string') {
    return { stringValue: plain };
  }
  if (typeof plain === 'number') {
    return { numberValue: plain };
  }
  if (typeof plain === 'boolean') {
    return { boolValue: plain };
  }
  if (Array.isArray(plain)) {
    return { listValue: { values: plain.map(structValue) } };
  }
  if (typeof plain === 'object' && plain !== null) {
    return { structValue: struct({ ...plain }) };
  }
  return { nullValue: 'NULL_VALUE' };
}

/** The plain JSON of a decoded struct; absent is `{}`. */
export function plainStruct(message: Struct | undefined): Readonly<Record<string, unknown>> {
  const entries = Object.entries(message?.fields ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, plainValue(value)]));
}

function plainValue(value: Value): unknown {
  if (value.structValue !== undefined) {
    return plainStruct(value.structValue);
  }
  if (value.listValue !== undefined) {
    return (value.listValue.values ?? []).map(plainValue);
  }
  return value.stringValue ?? value.numberValue ?? value.boolValue ?? null;
}

/** `acceptsIpv4`: an IPv6 address that takes IPv4 connections too. */
export function socketAddress({ address, port }: SocketAddress, acceptsIpv4 = false): Address {
  return {
    socket_address: { address, port_value: port, ipv4_compat: acceptsIpv4 ? true : undefined },
  };
}

/**
 * Resources come over the proxy's one ADS stream. Without a fetch timeout, as App Mesh had it: a listener
 * or cluster waits until its routes or endpoints have come, and what it replaces goes on serving.
 */
export const adsSource: ConfigSource = {
  ads: {},
  resource_api_version: 'V3',
  initial_fetch_timeout: { seconds: 0 },
};

/**
 * A secret may never come, since the operator has to put it somewhere. While a cluster waits, Envoy
 * acknowledges none of its clusters and asks for no listener, so it goes on after a while (Envoy's own
 * default): what names the secret then lets no connection through until it comes, and all else works.
 */
export const secretSource: ConfigSource = {
  ...adsSource,
  initial_fetch_timeout: { seconds: 15 },
};
