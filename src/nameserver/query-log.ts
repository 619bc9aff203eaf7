import { isMalformed, readMessage } from '../dns/message.ts';
import { formatName } from '../dns/name.ts';
import {
  className,
  EDNS_OPTION,
  opcodeName,
  rcodeName,
  rrtypeName,
  tsigErrorName,
} from '../dns/registry.ts';
import type { Answer, Handler, Peer, Transport } from './handler-port.ts';

/** One query and what came of it. */
export interface QueryLogEntry {
  /** In presentation form, its case kept; null with type and class when no question could be read. */
  readonly name: string | null;
  readonly type: string | null;
  readonly class: string | null;
  readonly opcode: string | null;
  readonly protocol: Transport;
  readonly address: string;
  readonly port: number;
  /** The key that the query names, and what was wrong with its signature; null for nothing. */
  readonly keyName: string | null;
  readonly tsigError: string | null;
  /** Null when nothing was answered. */
  readonly rcode: string | null;
  readonly truncated: boolean;
  /** Of the answer, without its length over TCP; null for transfers, which are logged by themselves. */
  readonly answerOctets: number | null;
  /** What making the answer, or opening the transfer, took. */
  readonly microseconds: number;
  readonly recursionDesired: boolean;
  /** Null for a query without EDNS. */
  readonly edns: {
    readonly version: number;
    readonly udpPayloadSize: number;
    readonly dnssecOk: boolean;
    readonly cookie: boolean;
  } | null;
}

export type QueryLog = (entry: QueryLogEntry) => void;

/**
 * Answers a query and logs it. Query and answer are read again for the entry: it costs a microsecond
 * or two while queries are logged, and nothing at all while they are not.
 */
export function logAnswer(log: QueryLog, answer: Handler, query: Uint8Array, peer: Peer): Answer {
  const before = performance.now();
  const made = answer(query, peer);
  const microseconds = Math.round((performance.now() - before) * 1000);
  log({ ...describeQuery(query), ...describeAnswer(made), ...describePeer(peer), microseconds });
  return made;
}

function describePeer({ protocol, address, port }: Peer) {
  return { protocol, address, port };
}

function describeQuery(query: Uint8Array) {
  const message = readMessage(query);
  const { opcode, recursionDesired, edns } = message;
  const [question = null] = isMalformed(message) ? [message.question] : message.questions;
  const keyName =
    isMalformed(message) || message.tsig === null ? null : formatName(message.tsig.name);
  return {
    name: question === null ? null : formatName(question.name),
    type: question === null ? null : rrtypeName(question.type),
    class: question === null ? null : className(question.class),
    opcode: isMalformed(message) && message.id === null ? null : opcodeName(opcode),
    keyName,
    recursionDesired,
    edns:
      edns === null
        ? null
        : {
            version: edns.version,
            udpPayloadSize: edns.udpPayloadSize,
            dnssecOk: edns.dnssecOk,
            cookie: edns.options.some(({ code }) => code === EDNS_OPTION.COOKIE),
          },
  };
}

function describeAnswer(answer: Answer) {
  const nothing = { rcode: null, truncated: false, answerOctets: null, tsigError: null };
  if (answer.kind === 'none') return nothing;
  // A transfer is opened for those only who may have it.
  if (answer.kind === 'stream') return { ...nothing, rcode: rcodeName(0) };
  const message = readMessage(answer.bytes);
  if (isMalformed(message)) throw new Error(`our own answer is no message: ${message.reason}`);
  const { rcode, truncated, tsig } = message;
  return {
    rcode: rcodeName(rcode),
    truncated,
    answerOctets: answer.bytes.length,
    tsigError: tsig === null || tsig.error === 0 ? null : tsigErrorName(tsig.error),
  };
}
