/** Ceilings of the xDS server, each with its reason. */

/** Characters of a client's error text that are kept: Envoy's longest name a field path and a value. */
export const errorLengthMax = 4096;

/** Refused versions remembered for each resource of a stream: more than anybody tries one after another. */
export const refusedVersionsMax = 16;

/**
 * A response is closed at this size where the protocol lets it be divided: gRPC clients in Go, and
 * Envoy's google_grpc, refuse messages over 4 MiB.
 */
export const responseBytesMax = 3 * 1024 * 1024;

/**
 * Names that one stream may ask for by name, of each type: five times the largest mesh that we test. What is
 * above it is refused before it is decoded.
 */
export const subscribedNamesMax = 50_000;

/** Names that all streams of one connection may ask for: four types of such a mesh. */
export const connectionNamesMax = 4 * subscribedNamesMax;

/**
 * Names that one connection may newly ask for, over and over: a proxy of the largest mesh that we test whose
 * streams break every two seconds. What comes at once is all that a connection may ask for and one request
 * above it, so that who asks for too much is told so before it is cut.
 */
export const namesPerSecond = 20_000;
export const namesBurst = connectionNamesMax + subscribedNamesMax;

/** Names of a request that are decoded without a pause: about a millisecond of work. */
export const namesPerPart = 1_000;

/** Names that a client is told of in one response that they are not there: about a millisecond of work. */
export const removedNamesMax = 1_000;

/**
 * Unanswered responses remembered for each type of a stream. A client that asks on and on and answers
 * nothing gets its answers, and its old verdicts are forgotten.
 */
export const unansweredResponsesMax = 16;

/** Envoy sends the first requests of all types within milliseconds; one that is missing later is paused. */
export const pausedAfterMs = 2_000;

/** A client status answer above this is refused: it is built in memory, for people to read. */
export const clientStatusBytesMax = 64 * 1024 * 1024;

/** Proxies remembered whose last stream ended in doubt: as many as may be connected at all. */
export const doubtfulProxiesMax = 20_000;

/** Names remembered for each type of such a proxy; beyond that all of the type are in doubt. */
export const doubtfulNamesMax = 64;

/** Of a node as it is sent: Envoy's is 40 kB, most of it the names of its extensions, and metadata come on top. */
export const nodeBytesMax = 256 * 1024;

/** How long a proxy that comes back may take to send its first requests; Envoy sends them at once. */
export const burstMs = 25;

/** Bytes of unfinished messages that all peers together may have us hold, in memory. */
export const looseBytesMax = 512 * 1024 * 1024;

/** Peers remembered that were cut; more would be an attack on this list itself. */
export const bannedPeersMax = 10_000;

/** How often connections are looked at for misconduct where nothing keeps the process busy. */
export const inspectionMs = 250;

/**
 * How often it is asked whether something does: what a flood gets done until it is noticed is its damage. A
 * timer that comes late by a few milliseconds says so, whatever the reason is.
 */
export const alertProbeMs = 25;
export const heldUpMs = 3;

/** The same while nothing is to be expected, where only the process itself would be kept awake. */
export const quietProbeMs = 100;

/** For how long something is to be expected once somebody has connected, or so much came between two looks. */
export const alertMs = 10_000;
export const busyBytes = 256 * 1024;

/** Of the process's time, so much may go into looking at connections while it is busy. */
export const inspectionShareMax = 1 / 20;

/** A TLS handshake takes milliseconds; a peer that takes longer keeps a place from others. */
export const handshakeMs = 10_000;

/** Refused asks that are logged one by one each second; the rest are counted. */
export const refusalsLoggedPerSecond = 10;

/**
 * Bytes of name lists that are kept decoded, of all proxies together: enough for some hundred views of
 * some hundred names. A proxy whose list is not among them has one of its own.
 */
export const nameListsBytesMax = 8 * 1024 * 1024;

/** Streams that a peer may take back in a second before it has asked for anything on them: nobody has reason to. */
export const unusedStreamsMax = 32;

/**
 * Who was cut on this machine cannot be told from others on it, and is not kept out. So for a while whoever
 * connects from it waits so long before a word of it is read.
 */
export const newcomersWaitMs = 500;
