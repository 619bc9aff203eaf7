import { createSocket } from 'node:dgram';
import { onTestFinished } from 'vitest';
import {
  CLASS,
  createMessageWriter,
  isMalformed,
  type Name,
  parseIpv4,
  parseIpv6,
  RCODE,
  RRTYPE,
  readMessage,
} from '../../src/dns/index.ts';
import { formatName } from '../../src/dns/name.ts';

/** What a resolver says of a name: addresses with one TTL, an RCODE, or nothing at all. */
export type Reply =
  | { readonly v4?: readonly string[]; readonly v6?: readonly string[]; readonly ttl?: number }
  | { readonly rcode: number }
  | 'silence';

export interface FakeResolver {
  readonly address: string;
  readonly port: number;
  /** By name with final dot; NXDOMAIN for all others. */
  readonly names: Map<string, Reply>;
  /** Questions that came: `resolver.example. A`. */
  readonly asked: string[];
  /** Questions that were open at the same time at most, when answers are held for `delayMs`. */
  mostAtOnce: number;
  delayMs: number;
}

/** A resolver on loopback that says what a test tells it. */
export async function startFakeResolver(): Promise<FakeResolver> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  let closed = false;
  onTestFinished(() => {
    closed = true;
    socket.close();
  });
  let open = 0;
  const resolver: FakeResolver = {
    address: '127.0.0.1',
    port: socket.address().port,
    names: new Map(),
    asked: [],
    mostAtOnce: 0,
    delayMs: 0,
  };
  socket.on('message', (bytes, from) => {
    const query = readMessage(bytes);
    if (isMalformed(query)) throw new Error(query.reason);
    const [{ name, type }] = query.questions;
    const text = formatName(name).toLowerCase();
    resolver.asked.push(`${text} ${type === RRTYPE.A ? 'A' : 'AAAA'}`);
    const answer = replyTo({ id: query.id, name, type }, resolver.names.get(text));
    if (answer === null) return;
    open += 1;
    resolver.mostAtOnce = Math.max(resolver.mostAtOnce, open);
    setTimeout(() => {
      open -= 1;
      if (!closed) socket.send(answer, from.port, from.address);
    }, resolver.delayMs);
  });
  return resolver;
}

function replyTo(
  query: { readonly id: number; readonly name: Name; readonly type: number },
  reply: Reply = { rcode: RCODE.NXDOMAIN },
): Uint8Array | null {
  if (reply === 'silence') return null;
  const { id, name, type } = query;
  const buffer = new Uint8Array(4_096);
  const writer = createMessageWriter(buffer);
  const rcode = 'rcode' in reply ? reply.rcode : RCODE.NOERROR;
  writer.start({ id, isResponse: true, rcode, recursionDesired: true });
  writer.question({ name, type, class: CLASS.IN });
  const { v4 = [], v6 = [], ttl = 300 } = 'rcode' in reply ? {} : reply;
  for (const address of type === RRTYPE.A ? v4 : v6) {
    const rdata = parseIpv4(address) ?? parseIpv6(address);
    if (rdata === null) throw new Error(`${address} is no address`);
    writer.record('answer', { name, type, class: CLASS.IN, ttl, rdata });
  }
  return buffer.slice(0, writer.finish());
}
