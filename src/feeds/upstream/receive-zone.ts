import { randomInt } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { createFrameReader } from '../../dns/frame-reader.ts';
import {
  createStreamVerifier,
  isMalformed,
  type Message,
  type Name,
  RCODE,
  rcodeName,
  readMessage,
  type Serial,
  type StreamVerifier,
  type TsigKey,
  tsigErrorName,
} from '../../dns/index.ts';
import { detailOf, FeedFailure } from '../sources/feed-failure.ts';
import {
  createTransferReader,
  type TransferEnd,
  TransferFault,
  type TransferReader,
  type TransferSink,
} from './transfer-reader.ts';
import { writeZoneRequest } from './zone-request.ts';

export interface ReceiveOptions {
  readonly address: string;
  readonly port: number;
  readonly zone: Name;
  readonly key: TsigKey | null;
  /** Null asks for the whole zone. */
  readonly have: Serial | null;
  readonly octetsMax: number;
  /** Without an octet from the primary. */
  readonly idleMs: number;
  /** Its reason is a FeedFailure. */
  readonly signal: AbortSignal;
  readonly onOctets: (octets: number) => void;
  readonly nowSeconds: () => number;
}

/**
 * Takes a zone from its primary by AXFR, or what changed by IXFR, over TCP (RFC 5936, RFC 1995).
 * With a key every message is verified before its records count (RFC 8945 section 5.3.1); what came
 * behind the last signed message is believed only with the next one. Throws FeedFailure.
 */
export async function receiveZone(
  options: ReceiveOptions,
  sink: TransferSink,
): Promise<TransferEnd> {
  const { signal, key } = options;
  signal.throwIfAborted();
  const id = randomInt(0x10000);
  const request = writeZoneRequest({ ...options, id, nowSeconds: options.nowSeconds() });
  const verifier =
    key === null || request.mac === null
      ? null
      : createStreamVerifier({ key, requestMac: request.mac, nowSeconds: options.nowSeconds });
  const reader = createTransferReader(options.zone, options.have, sink);
  const socket = connect({ host: options.address, port: options.port });
  socket.setNoDelay(true);
  socket.setTimeout(options.idleMs, () => {
    socket.destroy(new FeedFailure('timeout', `nothing came for ${options.idleMs / 1000} s`));
  });
  const abort = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    socket.write(request.octets);
    return await readAnswer({ socket, id, reader, verifier, options });
  } catch (error) {
    throw failureOf(error);
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}

interface Answer {
  readonly socket: Socket;
  readonly id: number;
  readonly reader: TransferReader;
  readonly verifier: StreamVerifier | null;
  readonly options: ReceiveOptions;
}

async function readAnswer(answer: Answer): Promise<TransferEnd> {
  const { socket, options } = answer;
  const frames = createFrameReader();
  let octets = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    octets += chunk.length;
    if (octets > options.octetsMax) {
      throw new FeedFailure('too-large', `more than ${options.octetsMax} octets`);
    }
    options.onOctets(octets);
    frames.push(chunk);
    for (let frame = frames.next(); frame !== null; frame = frames.next()) {
      const end = readFrame(answer, frame);
      if (end !== null) return end;
    }
  }
  throw new FeedFailure('truncated', 'the connection ended within the transfer');
}

function readFrame({ id, reader, verifier }: Answer, bytes: Uint8Array): TransferEnd | null {
  const message = readMessage(bytes);
  if (isMalformed(message)) throw new FeedFailure('protocol', `no DNS message: ${message.reason}`);
  // RFC 5936 section 2.2.1: what does not belong to the question is no part of its answer.
  if (!message.isResponse || message.id !== id) {
    throw new FeedFailure('protocol', 'the answer is to another question');
  }
  if (verifier !== null) verify(verifier, message, bytes);
  if (message.rcode !== RCODE.NOERROR) {
    throw new FeedFailure('refused', rcodeName(message.rcode));
  }
  let end: TransferEnd | null = null;
  for (const record of message.answers) end = reader.accept(record) ?? end;
  end ??= reader.endOfMessage();
  // RFC 8945 section 5.3.1: the last message is signed.
  if (end !== null && verifier !== null && !verifier.isComplete()) {
    throw new FeedFailure('signature', 'the last message is not signed');
  }
  return end;
}

function verify(verifier: StreamVerifier, message: Message, bytes: Uint8Array): void {
  const verdict = verifier.accept({ bytes, message });
  switch (verdict.kind) {
    case 'valid':
    case 'pending':
      return;
    case 'unsigned':
      throw new FeedFailure('signature', 'the answer is not signed');
    case 'error':
    case 'invalid':
      throw new FeedFailure('signature', tsigErrorName(verdict.error));
  }
}

function failureOf(error: unknown): FeedFailure {
  if (error instanceof FeedFailure) return error;
  if (error instanceof TransferFault) return new FeedFailure('protocol', error.message);
  return new FeedFailure('connect', detailOf(error));
}
