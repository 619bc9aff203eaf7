import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { Name, TsigKey } from '../dns/index.ts';
import { type CanonicalAddress, canonicalAddress } from './endpoint.ts';
import {
  createNotifyWriter,
  judgeResponse,
  type NotifyRequest,
  type ServedSoa,
} from './notify-message.ts';

/** How one NOTIFY went. */
export type Outcome =
  /** `key` is what it was signed with; null when the NOTIFY was not signed. */
  | { readonly kind: 'answer'; readonly rcode: number; readonly key: TsigKey | null }
  | { readonly kind: 'tsig-error'; readonly error: string }
  /** `hint` is what came instead of an acceptable answer, if anything did. */
  | { readonly kind: 'timeout'; readonly hint: string | null }
  /** The system did not take it: no route, no such family, no address. */
  | { readonly kind: 'unsendable'; readonly reason: string }
  /** `close` was called before it was known. */
  | { readonly kind: 'stopped' };

export interface Exchanges {
  /** Sends once, waits for the answer. Rejects when there is no socket to send from. */
  send(notify: {
    readonly address: string;
    readonly port: number;
    readonly zone: Name;
    readonly soa: ServedSoa;
    readonly key: TsigKey | undefined;
  }): Promise<Outcome>;
  /** Datagrams that belonged to no request under way, or were no acceptable answer to one. */
  strays(): number;
  /** Ends what is under way as `stopped`. */
  close(): Promise<void>;
}

export interface ExchangeOptions {
  /** Asked for each message. */
  readonly answerTimeoutMs: () => number;
  /** Where NOTIFYs come from; without it the system chooses. */
  readonly sourceIpv4?: string;
  readonly sourceIpv6?: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** From 0 to 65,535, not to be foreseen. */
  readonly randomId: () => number;
  readonly onSocketError: (error: Error) => void;
}

interface Exchange {
  readonly to: CanonicalAddress;
  readonly port: number;
  readonly request: NotifyRequest;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (outcome: Outcome) => void;
  hint: string | null;
}

interface Line {
  readonly options: ExchangeOptions;
  readonly underWay: Map<number, Exchange>;
  /** Bound to a port of the system's choice, which is random; kept until one fails. */
  readonly sockets: Map<4 | 6, Promise<Socket>>;
  strays: number;
  closed: boolean;
}

export function createExchanges(options: ExchangeOptions): Exchanges {
  const line: Line = {
    options,
    underWay: new Map(),
    sockets: new Map(),
    strays: 0,
    closed: false,
  };
  const write = createNotifyWriter();
  return {
    async send({ address, port, zone, soa, key }) {
      const to = canonicalAddress(address);
      if (to === null) return { kind: 'unsendable', reason: `${address} is no address` };
      const socket = await socketFor(line, to.family);
      if (line.closed) return { kind: 'stopped' };
      const nowSeconds = Math.floor(options.now() / 1000);
      const request = write({ id: freeId(line), zone, soa, key, nowSeconds });
      return await exchange(line, socket, { to, port, request });
    },
    strays: () => line.strays,
    async close() {
      line.closed = true;
      for (const each of line.underWay.values()) conclude(line, each, { kind: 'stopped' });
      const sockets = await Promise.allSettled(line.sockets.values());
      line.sockets.clear();
      for (const opened of sockets) if (opened.status === 'fulfilled') opened.value.close();
    },
  };
}

/** RFC 5452 section 9.2: an id that cannot be guessed; never one that another answer is awaited for. */
function freeId({ underWay, options }: Line): number {
  let id = options.randomId();
  while (underWay.has(id)) id = (id + 1) & 0xffff;
  return id;
}

function exchange(
  line: Line,
  socket: Socket,
  { to, port, request }: Pick<Exchange, 'to' | 'port' | 'request'>,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const timer = setTimeout(
      () => conclude(line, one, { kind: 'timeout', hint: one.hint }),
      line.options.answerTimeoutMs(),
    );
    const one: Exchange = { to, port, request, timer, resolve, hint: null };
    line.underWay.set(request.id, one);
    socket.send(request.bytes, port, to.text, (error) => {
      if (error) conclude(line, one, { kind: 'unsendable', reason: error.message });
    });
  });
}

function conclude(line: Line, one: Exchange, outcome: Outcome): void {
  clearTimeout(one.timer);
  if (line.underWay.get(one.request.id) === one) line.underWay.delete(one.request.id);
  one.resolve(outcome);
}

/** RFC 1996 section 3.6: by query id, QNAME, source address and source port. */
function receive(line: Line, bytes: Uint8Array, from: RemoteInfo): void {
  const one = line.underWay.get((bytes[0] << 8) | bytes[1]);
  if (one === undefined || from.port !== one.port || !isFrom(one, from)) {
    line.strays += 1;
    return;
  }
  const judgement = judgeResponse(one.request, bytes, Math.floor(line.options.now() / 1000));
  if (judgement.kind === 'not-acceptable') {
    line.strays += 1;
    one.hint = judgement.reason;
  } else {
    conclude(line, one, judgement);
  }
}

function isFrom(one: Exchange, { address }: RemoteInfo): boolean {
  return canonicalAddress(address)?.text === one.to.text;
}

function socketFor(line: Line, family: 4 | 6): Promise<Socket> {
  const open = line.sockets.get(family);
  if (open !== undefined) return open;
  const opening = openSocket(line, family);
  line.sockets.set(family, opening);
  // A machine may get its IPv6 later: the next NOTIFY tries again.
  opening.catch(() => line.sockets.delete(family));
  return opening;
}

async function openSocket(line: Line, family: 4 | 6): Promise<Socket> {
  const { sourceIpv4 = '0.0.0.0', sourceIpv6 = '::', onSocketError } = line.options;
  const socket = createSocket({
    ...(family === 4 ? { type: 'udp4' } : { type: 'udp6', ipv6Only: true }),
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: family === 4 ? sourceIpv4 : sourceIpv6 }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  socket.on('error', onSocketError);
  socket.on('message', (bytes, from) => receive(line, bytes, from));
  return socket;
}
