import { createSocket } from 'node:dgram';
import {
  CLASS,
  createMessageWriter,
  isMalformed,
  parseName,
  RCODE,
  RRTYPE,
  readMessage,
} from '../../../src/dns/index.ts';
import type { Endpoint } from '../client.ts';

const BLOCKED_TIMEOUT_MS = 300_000;
const QUESTION_OCTETS_MAX = 512;
/** Each question asks for a name that was never asked for, so that no cache has its answer. */
let asked = 0;

/**
 * Waits until a resolver answers for names below each of `rules` that they do not exist; returns the
 * time since `startedAt`, in milliseconds. It asks every `pollMs`, whether or not it is answered.
 */
export async function untilBlocked(
  resolver: Endpoint,
  rules: readonly string[],
  { startedAt, pollMs }: { readonly startedAt: number; readonly pollMs: number },
): Promise<number> {
  const pending = new Set(rules);
  /** The rule that each question was for. */
  const ruleOf = new Map<number, string>();
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearInterval(timer);
      socket.close();
    };
    const timer = setInterval(() => {
      for (const rule of pending) {
        const id = ++asked & 0xffff;
        ruleOf.set(id, rule);
        socket.send(question(`q${asked}.${rule}.`, id), resolver.port, resolver.address);
      }
      if (performance.now() < startedAt + BLOCKED_TIMEOUT_MS) return;
      stop();
      reject(new Error(`${[...pending].join(', ')} are not blocked`));
    }, pollMs);
    // Nothing listens there until the resolver has started.
    socket.on('error', () => undefined);
    socket.on('message', (answer) => {
      const message = readMessage(answer);
      if (isMalformed(message) || message.rcode !== RCODE.NXDOMAIN) return;
      pending.delete(ruleOf.get(message.id) ?? '');
      if (pending.size > 0) return;
      stop();
      resolve(performance.now() - startedAt);
    });
  });
}

function question(name: string, id: number): Uint8Array {
  const buffer = new Uint8Array(QUESTION_OCTETS_MAX);
  const writer = createMessageWriter(buffer);
  writer.start({ id, recursionDesired: true });
  writer.question({ name: parseName(name), type: RRTYPE.A, class: CLASS.IN });
  return buffer.subarray(0, writer.finish());
}
