import type { Socket } from 'node:net';
import { createFrameReader, type FrameReader } from '../dns/frame-reader.ts';
import type { Handler, Peer } from '../nameserver/handler-port.ts';
import { type AnswerGatherer, MESSAGE_OCTETS_MAX } from './answer-gatherer.ts';
import { isQuery, queryHead, serverFailure } from './header.ts';
import type { DnsServerLimits } from './options.ts';
import { createOutgoing, type Outgoing } from './outgoing.ts';
import { MESSAGES_PER_TURN_MAX, type QueryTurns } from './query-turns.ts';
import type { Reporter } from './reporter.ts';
import type { Counters } from './statistics.ts';
import {
  endStream,
  type StreamAnswer,
  type TransferHandle,
  type TransferScheduler,
} from './transfer-scheduler.ts';

/** What all connections share. */
export interface TcpService {
  handler: Handler;
  readonly limits: DnsServerLimits;
  readonly counters: Counters;
  readonly reporter: Reporter;
  readonly gatherer: AnswerGatherer;
  readonly transfers: TransferScheduler;
  readonly turns: QueryTurns;
}

export interface TcpConnection {
  readonly client: string;
  /** Takes no more queries, finishes what is under way, closes. */
  finish(): void;
  destroy(): void;
  /** Closes the connection when one of its times has run out; `now` as of performance.now(). */
  checkDeadlines(now: number): void;
}

interface Connection {
  readonly service: TcpService;
  readonly socket: Socket;
  readonly outgoing: Outgoing;
  readonly peer: Peer;
  readonly client: string;
  readonly frames: FrameReader;
  /** The first one runs or waits for a place; the others wait for the first. */
  readonly streams: { readonly stream: StreamAnswer; readonly head: number }[];
  transfer: TransferHandle | null;
  /** It has asked more than one turn allows, and others go first. */
  awaitsTurn: boolean;
  /** The client has closed its side, or the server stops: no more queries come. */
  inputOver: boolean;
  /** When our side was closed. */
  closedAt: number | null;
  /** The last whole query, or the end of the last transfer. */
  activeAt: number;
  /** First octet of an unfinished message, while we are reading. */
  partialSince: number | null;
  /** Since when something has been waiting for the client to take it. */
  unsentSince: number;
}

/**
 * Speaks DNS on a connected socket, of TCP or of TLS behind its handshake, until it closes. `onClose`
 * is called once, at the very end.
 *
 * What a client that does not read costs us: one piece of a transfer (TRANSFER_PIECE_OCTETS) or the
 * answers to one turn of queries; over TLS also a slice of it encrypted (outgoing.ts); one chunk that
 * was read (64 KiB) and at most one message that is not whole. Under 512 KiB for each; measured with
 * 200 of them 268 KiB over TCP and 347 KiB over TLS, beside the buffers of the system.
 */
export function openConnection(
  service: TcpService,
  socket: Socket,
  { peer, client }: { readonly peer: Peer; readonly client: string },
  onClose: () => void,
): TcpConnection {
  const now = performance.now();
  const c: Connection = {
    service,
    socket,
    outgoing: createOutgoing(socket, () => {
      c.unsentSince = performance.now();
      takeMessages(c);
    }),
    peer,
    client,
    frames: createFrameReader(),
    streams: [],
    transfer: null,
    awaitsTurn: false,
    inputOver: false,
    closedAt: null,
    activeAt: now,
    partialSince: null,
    unsentSince: now,
  };
  socket.on('data', (chunk: Buffer) => {
    if (c.inputOver) return;
    c.frames.push(chunk);
    takeMessages(c);
  });
  socket.on('end', () => closeInput(c));
  // Node counts a write that goes on in parts as activity, so this is a client that takes nothing.
  socket.on('timeout', () => {
    if (c.outgoing.unsent() > 0) cutOff(c, 'tcpClosedStalled');
    else socket.setTimeout(0);
  });
  // Resets and broken pipes are the client's affair; 'close' follows.
  socket.on('error', () => {});
  socket.on('close', () => {
    abandonStreams(c);
    onClose();
  });
  return {
    client,
    finish: () => finish(c),
    destroy: () => socket.destroy(),
    checkDeadlines: (at) => checkDeadlines(c, at),
  };
}

/**
 * Answers the queries that are held, as long as the client takes the answers and its turn lasts.
 * Otherwise reading stops until it goes on: what a client can pile up here is one chunk of queries
 * and one write.
 */
function takeMessages(c: Connection): void {
  if (c.awaitsTurn) return;
  const { frames, socket } = c;
  let message: Uint8Array | null = null;
  let messages = 0;
  let queries = 0;
  while (messages < MESSAGES_PER_TURN_MAX && mayTakeMore(c) && (message = frames.next()) !== null) {
    messages += 1;
    if (takeMessage(c, message)) queries += 1;
  }
  sendGathered(c);
  // RFC 7766 section 6.2.3: a full DNS message resets the idle timeout, a part of one does not.
  if (queries > 0) c.activeAt = performance.now();
  if (messages === MESSAGES_PER_TURN_MAX && frames.isPartial()) letOthersGoFirst(c);
  if (c.awaitsTurn || !mayTakeMore(c)) {
    socket.pause();
    c.partialSince = null;
    return;
  }
  if (messages > 0 || !frames.isPartial()) c.partialSince = null;
  if (frames.isPartial()) c.partialSince ??= performance.now();
  if (socket.isPaused()) socket.resume();
  closeWhenDone(c);
}

function mayTakeMore({ outgoing, streams, service }: Connection): boolean {
  return !outgoing.isFull() && streams.length < service.limits.tcpPendingQueriesMax;
}

/** However many queries a client pipelines, other clients and transfers are served between them. */
function letOthersGoFirst(c: Connection): void {
  c.awaitsTurn = true;
  c.service.counters.tcpTurnsPutOff += 1;
  c.service.turns.join(() => {
    c.awaitsTurn = false;
    if (!c.socket.destroyed) takeMessages(c);
  });
}

/** False when it was no query. */
function takeMessage(c: Connection, message: Uint8Array): boolean {
  const { counters } = c.service;
  if (!isQuery(message)) {
    counters.tcpMalformed += 1;
    return false;
  }
  counters.tcpQueries += 1;
  const head = queryHead(message);
  const answer = ask(c, message);
  if (answer === null) gather(c, serverFailure(head));
  else if (answer.kind === 'message') gather(c, answer.bytes);
  else if (answer.kind === 'stream') {
    c.streams.push({ stream: answer, head });
    if (c.streams.length === 1) startTransfer(c);
  }
  return true;
}

/** Null when the handler failed or its answer is longer than two octets can say. */
function ask(c: Connection, message: Uint8Array): ReturnType<Handler> | null {
  const { handler, counters, reporter } = c.service;
  try {
    const answer = handler(message, c.peer);
    if (answer.kind !== 'message' || answer.bytes.length <= MESSAGE_OCTETS_MAX) return answer;
    throw new Error(`an answer of ${answer.bytes.length} octets`);
  } catch (error) {
    counters.handlerFailures += 1;
    reporter.failure('a query failed', error, { peer: c.peer });
    return null;
  }
}

function gather(c: Connection, answer: Uint8Array): void {
  const { gatherer, counters } = c.service;
  counters.tcpAnswers += 1;
  if (gatherer.add(answer)) return;
  sendGathered(c);
  gatherer.add(answer);
}

function sendGathered(c: Connection): void {
  const octets = c.service.gatherer.take();
  if (octets !== null) write(c, octets);
}

/** Watches for stalls only when the system did not take all at once: most clients cost no timer. */
function write(c: Connection, octets: Uint8Array, taken?: () => void): void {
  const { socket, outgoing } = c;
  if (!socket.writable) return;
  if (outgoing.unsent() === 0) c.unsentSince = performance.now();
  outgoing.write(octets, taken);
  if (outgoing.unsent() > 0) socket.setTimeout(c.service.limits.tcpStallMs);
}

/** Transfers of one connection run one after the other, so that a client sees whole ones. */
function startTransfer(c: Connection): void {
  while (c.streams.length > 0) {
    const { stream, head } = c.streams[0];
    c.transfer = c.service.transfers.submit({
      client: c.client,
      stream,
      write: (piece, taken) => write(c, piece, taken),
      over: (completed) => transferOver(c, completed),
    });
    if (c.transfer !== null) return;
    c.streams.shift();
    gather(c, serverFailure(head));
  }
}

function transferOver(c: Connection, completed: boolean): void {
  c.transfer = null;
  c.streams.shift();
  c.activeAt = performance.now();
  if (!completed) {
    c.socket.destroy();
    return;
  }
  startTransfer(c);
  takeMessages(c);
}

function abandonStreams(c: Connection): void {
  c.transfer?.cancel();
  // The first one was submitted, so it is the scheduler that has ended it.
  for (const { stream } of c.streams.splice(0).slice(1)) {
    c.service.counters.transfersCut += 1;
    endStream(stream, { completed: false, octets: 0, durationMs: 0 }, c.service.reporter);
  }
  c.transfer = null;
}

/**
 * A client that has closed only its sending side still gets what it asked for. One that is gone
 * answers with a reset, and then nothing more is sent (RFC 7766 section 6.2.4).
 */
function closeInput(c: Connection): void {
  c.inputOver = true;
  c.partialSince = null;
  closeWhenDone(c);
}

function finish(c: Connection): void {
  c.inputOver = true;
  // What still comes is read and thrown away: closing with unread octets would reset the connection.
  c.socket.resume();
  closeWhenDone(c);
}

function closeWhenDone(c: Connection): void {
  if (!c.inputOver || c.closedAt !== null || c.streams.length > 0) return;
  if (c.awaitsTurn || !mayTakeMore(c)) return;
  c.closedAt = performance.now();
  c.outgoing.end();
}

function checkDeadlines(c: Connection, now: number): void {
  const { limits } = c.service;
  const unsent = c.outgoing.unsent() > 0;
  if (unsent && now - c.unsentSince > limits.tcpWriteMs) cutOff(c, 'tcpClosedStalled');
  // RFC 7766 section 3: idle is a session whose queries have all been answered.
  else if (unsent || c.streams.length > 0 || c.awaitsTurn) return;
  else if (c.closedAt !== null && now - c.closedAt > limits.tcpLingerMs) c.socket.destroy();
  else if (c.partialSince !== null && now - c.partialSince > limits.tcpMessageMs)
    cutOff(c, 'tcpClosedSlowMessage');
  else if (c.closedAt === null && now - Math.max(c.activeAt, c.unsentSince) > limits.tcpIdleMs)
    closeIdle(c);
}

/** RFC 8446 section 6.1: over TLS the client is told by close_notify, so that it sees no truncation. */
function closeIdle(c: Connection): void {
  c.service.counters.tcpClosedIdle += 1;
  finish(c);
}

function cutOff(c: Connection, reason: 'tcpClosedStalled' | 'tcpClosedSlowMessage'): void {
  c.service.counters[reason] += 1;
  c.socket.destroy();
}
