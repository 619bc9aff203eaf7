import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { tcpClient } from '../server/tcp-client.ts';
import { type Endpoint, framed } from '../support/dns-clients.ts';
import { makeQuery } from '../support/dns-query.ts';
import { faultOf, idOf } from './clean-answer.ts';

/** The id of a good query that is sent behind each batch: its answer says that the batch is through. */
export const END_ID = 0xffff;
/** A datagram may get lost on loopback too, when a buffer is full. */
const END_PATIENCE_MS = 2_000;
const END_ATTEMPTS_MAX = 10;

export interface Exchange {
  /** Sends packets and waits until the server has been through them. Throws at an answer that is not clean. */
  batch(packets: readonly Uint8Array[]): Promise<void>;
  readonly answers: () => number;
  close(): void;
}

/** What came back for a batch: told apart by id alone, since any answer may be to any packet. */
function createJudge() {
  let asked: ReadonlySet<number> = new Set();
  let askedBefore = asked;
  let packets: readonly Uint8Array[] = [];
  let answers = 0;
  return {
    answers: () => answers,
    begin(batch: readonly Uint8Array[]): void {
      packets = batch;
      askedBefore = asked;
      asked = new Set(batch.map(idOf));
    },
    judge(answer: Uint8Array): void {
      answers += 1;
      // The last answers to a batch may still be on their way when the next one begins.
      const fault = faultOf(answer, asked) && faultOf(answer, askedBefore);
      if (fault === null) return;
      const culprits = packets.filter((packet) => idOf(packet) === idOf(answer));
      const octets = culprits.map((packet) => Buffer.from(packet).toString('hex'));
      throw new Error(`${fault}; for test/fuzz/corpus: ${octets.join(' or ')}`);
    },
  };
}

export async function exchangeByUdp(server: Endpoint): Promise<Exchange> {
  const end = makeQuery('end-of-batch.example.', 'A', { id: END_ID }).bytes;
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 22 });
  socket.connect(server.port, server.address);
  await once(socket, 'connect');
  const judge = createJudge();
  let settle: { resolve(): void; reject(error: unknown): void } | null = null;
  socket.on('message', (answer) => {
    try {
      if (idOf(answer) === END_ID) settle?.resolve();
      else judge.judge(answer);
    } catch (error) {
      settle?.reject(error);
    }
  });
  return {
    answers: judge.answers,
    close: () => socket.close(),
    async batch(packets) {
      judge.begin(packets);
      const over = new Promise<void>((resolve, reject) => {
        settle = { resolve, reject };
      });
      for (const packet of packets) socket.send(packet);
      for (let attempt = 0; attempt < END_ATTEMPTS_MAX; attempt++) {
        socket.send(end);
        if (await isOverWithin(over, END_PATIENCE_MS)) return;
      }
      throw new Error('the server has fallen silent');
    },
  };
}

/** `zone` is a small one: a transfer of it comes behind all transfers that were asked for before. */
export async function exchangeByTcp(server: Endpoint, zone: string): Promise<Exchange> {
  const end = makeQuery(zone, 'AXFR', { id: END_ID }).bytes;
  const client = await tcpClient(server);
  const judge = createJudge();
  return {
    answers: judge.answers,
    close: client.destroy,
    async batch(packets) {
      judge.begin(packets);
      client.send(Buffer.concat([...packets, end].map(framed)));
      for (let isOver = false; !isOver; ) {
        const answer = await client.message();
        isOver = idOf(answer) === END_ID;
        if (!isOver) judge.judge(answer);
      }
    },
  };
}

async function isOverWithin(over: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([over.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
