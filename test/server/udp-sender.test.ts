import type { RemoteInfo, Socket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/server/options.ts';
import { createCounters } from '../../src/server/statistics.ts';
import { createUdpSender } from '../../src/server/udp-sender.ts';

const BURST = 8;
const to = (port: number): RemoteInfo => ({ address: '192.0.2.1', family: 'IPv4', port, size: 0 });
const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A sender on a socket that only notes what it is given, and takes it or leaves it waiting. */
function openSender(limits = {}) {
  const sent: { readonly octets: Uint8Array; readonly port: number }[] = [];
  const system = { isTaking: true, waiting: 0 };
  const socket = {
    send(octets: Uint8Array, port: number) {
      sent.push({ octets, port });
      if (!system.isTaking || system.waiting > 0) system.waiting += octets.length;
    },
    getSendQueueSize: () => system.waiting,
  };
  const counters = createCounters();
  const service = { limits: { ...DEFAULT_LIMITS, ...limits }, counters };
  // What a sender uses of a socket.
  const sender = createUdpSender(service, socket as unknown as Socket);
  /** Makes the answers to one turn of so many queries. */
  const turn = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) sender.send(Uint8Array.of(index), to(index));
    await endOfTurn();
  };
  return { sender, sent, system, counters, turn };
}

describe('answers over UDP', () => {
  it('go at once when few come in a turn', async () => {
    const { sender, sent, turn } = openSender();
    await turn(BURST - 1);
    sender.send(Uint8Array.of(1), to(1));
    expect(sent).toHaveLength(BURST);
  });

  it('go in bursts in the turn after one in which many came, the rest at its end', async () => {
    const { sender, sent, turn, counters } = openSender();
    await turn(BURST);
    sent.length = 0;
    const lengths: number[] = [];
    for (let index = 0; index < 2 * BURST + 3; index += 1) {
      sender.send(Uint8Array.of(index), to(index));
      lengths.push(sent.length);
    }
    expect([lengths[BURST - 2], lengths[BURST - 1], lengths.at(-1)]).toEqual([0, BURST, 2 * BURST]);
    await endOfTurn();
    expect(sent.map(({ port }) => port)).toEqual([...Array(2 * BURST + 3).keys()]);
    expect(counters.udpAnswers).toBe(3 * BURST + 3);
  });

  it('go before the socket is closed', async () => {
    const { sender, sent, turn } = openSender();
    await turn(BURST);
    sender.send(Uint8Array.of(99), to(99));
    sender.flush();
    expect(sent.at(-1)?.port).toBe(99);
    await endOfTurn();
    expect(sent).toHaveLength(BURST + 1);
  });

  it('keep their octets for as long as the system has not taken them', async () => {
    const { sender, sent, system, turn } = openSender();
    await turn(BURST);
    sent.length = 0;
    system.isTaking = false;
    for (let index = 0; index < 5 * BURST; index += 1) {
      sender.send(new Uint8Array(1 + (index % 3)).fill(index), to(index));
    }
    await endOfTurn();
    expect(sent.map(({ octets }) => octets[0])).toEqual([...Array(5 * BURST).keys()]);
    expect(sent.map(({ octets }) => octets.length)).toEqual(
      Array.from({ length: 5 * BURST }, (_, index) => 1 + (index % 3)),
    );
  });

  it('are dropped and counted above the backlog, and go again when it is gone', async () => {
    const { sender, sent, system, counters, turn } = openSender({ udpSendBacklogOctetsMax: 100 });
    system.isTaking = false;
    for (let index = 0; index < 4; index += 1) sender.send(new Uint8Array(30), to(index));
    expect(counters).toMatchObject({ udpAnswers: 3, udpBacklogDrops: 1 });
    system.isTaking = true;
    system.waiting = 0;
    sent.length = 0;
    await turn(3);
    expect(sent).toHaveLength(3);
    expect(counters).toMatchObject({ udpAnswers: 6, udpBacklogDrops: 1 });
  });

  it('may be as long as a datagram', async () => {
    const { sender, sent } = openSender();
    const answer = Uint8Array.from({ length: 60_000 }, (_, index) => index);
    sender.send(answer, to(1));
    answer.fill(0);
    expect([sent[0].octets.length, sent[0].octets[255]]).toEqual([60_000, 255]);
  });
});
