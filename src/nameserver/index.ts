/**
 * From a query's octets to an answer's: read, authenticate, authorise, find, write; and transfers,
 * decided in one place and streamed part by part.
 *
 * Here: what is answered to whom. Not here: sockets, framing and limits (server/), what is in a zone
 * (zone/). It reads one snapshot per query, waits for nothing and writes nothing but ready frames.
 */
export { answerNotReady } from './answer-not-ready.ts';
export { createCookieSecrets } from './cookie-secrets.ts';
export { createNameserver, type Nameserver, type NameserverOptions } from './create-nameserver.ts';
export type { Directory, Observer, Requester } from './directory-port.ts';
export type { Answer, Handler, Peer, Transport } from './handler-port.ts';
export type { QueryLog, QueryLogEntry } from './query-log.ts';
export { createRateLimiter, type RateLimitCounts, type RateLimitOptions } from './rate-limit.ts';
export { createServerIdentity } from './server-identity.ts';
export { warmEncoder } from './warm-encoder.ts';
