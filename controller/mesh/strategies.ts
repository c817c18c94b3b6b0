/**
 * What a rollout's steps can do with requests beside moving weights: hand those that match to the new
 * version, copy some to it, keep each client on one version.
 */
import type { HeaderMatch } from './model.js';

/** Conditions on a request, all of which hold; at least one. */
export interface RequestMatch {
  readonly headers: readonly HeaderMatch[];
  readonly cookies: readonly CookieMatch[];
}

export interface CookieMatch {
  readonly name: string;
  /** Undefined: the cookie is there, whatever its value. */
  readonly exact?: string;
}

export interface Mirror {
  /** 0.01 to 100. */
  readonly percent: number;
  /** Of the requests that are copied, sorted; gRPC calls are POST. At least one. */
  readonly methods: readonly string[];
}

/** What tells one client from another. */
export type Sticky =
  | { readonly kind: 'cookie'; readonly name: string; readonly ttlMs: number }
  /** In lower case; a request without it is drawn anew. */
  | { readonly kind: 'header'; readonly name: string };

/**
 * What a route's weights are drawn by in an effective mesh, in place of chance. A cookie that was made of a
 * request's id draws what that request drew.
 */
export type DrawnBy =
  | { readonly kind: 'cookie'; readonly name: string }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'requestId' };

/** A cookie that answers set. */
export interface SetCookie {
  readonly name: string;
  readonly ttlMs: number;
}

/**
 * A cookie condition as one on the header that holds all cookies of a request. Envoy joins several such
 * headers into one.
 */
export function cookieHeader({ name, exact }: CookieMatch): HeaderMatch {
  const value = exact === undefined ? '[^;]*' : escapeRegex(exact);
  const regex = `(.*;\\s*)?${escapeRegex(name)}=${value}(;.*)?`;
  return { name: 'cookie', invert: false, match: { kind: 'regex', regex } };
}

/** `text` as a regular expression of RE2 that matches it and nothing else. */
export function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
