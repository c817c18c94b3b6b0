/** Branded strings: the same at run time, apart at compile time, for names that get mixed up. */

declare const brand: unique symbol;

/** A string that only its own constructor makes. */
export type Brand<Name extends string> = string & { readonly [brand]: Name };

/** A commit's full hash, or `dir-<content hash>` for a plain directory. */
export type RevisionId = Brand<'RevisionId'>;

/** An Envoy node id, `mesh/<mesh>/virtualNode/<name>` or `mesh/<mesh>/virtualGateway/<name>`. */
export type NodeId = Brand<'NodeId'>;

/** One connected proxy; unlike a node id, no two replicas share it. */
export type ProxyId = Brand<'ProxyId'>;

export function revisionId(text: string): RevisionId {
  return text as RevisionId;
}

export function nodeId(text: string): NodeId {
  return text as NodeId;
}

export function proxyId(text: string): ProxyId {
  return text as ProxyId;
}
