import type { RemoteInfo, Socket } from 'node:dgram';
import type { DnsServerLimits } from './options.ts';
import type { Counters } from './statistics.ts';

export interface UdpSender {
  /** Sends an answer, now or with those that follow; or drops and counts it. Its octets are free again. */
  send(answer: Uint8Array, to: RemoteInfo): void;
  /** Sends what is gathered. Comes before the socket is closed. */
  flush(): void;
}

/**
 * So many answers go out one right behind the other when so many queries at least come in one turn of
 * the event loop. Whoever waits for them is woken once for all: with dnsperf on the same machine that
 * is a sixth more answers a second. When few come, each answer goes at once, and waits for nothing else
 * that the turn may hold.
 */
const BURST = 8;
/** Answers above this are few: they are copied each for itself. */
const OUTBOX_OCTETS = 512;

export function createUdpSender(
  service: { readonly limits: DnsServerLimits; readonly counters: Counters },
  socket: Socket,
): UdpSender {
  const { limits, counters } = service;
  const outboxes = Array.from({ length: BURST }, createOutbox);
  const answers = new Array<Uint8Array>(BURST);
  const receivers = new Array<RemoteInfo>(BURST);
  let gathered = 0;
  let ofThisTurn = 0;
  let isBusy = false;
  /** Octets that the system had not taken when it was last asked, and those that went behind them. */
  let waiting = 0;

  const sendOne = (answer: Uint8Array, { port, address }: RemoteInfo): void => {
    if (waiting + answer.length > limits.udpSendBacklogOctetsMax) {
      counters.udpBacklogDrops += 1;
      return;
    }
    socket.send(answer, port, address);
    counters.udpAnswers += 1;
    if (waiting > 0) waiting += answer.length;
  };

  /**
   * Node hands a datagram to the system before `send` returns, unless others wait already or the system
   * does not take it. Then Node goes on holding the octets, and they are left to it.
   */
  const flush = (): void => {
    const count = gathered;
    if (count === 0) return;
    gathered = 0;
    if (waiting > 0) waiting = socket.getSendQueueSize();
    for (let index = 0; index < count; index += 1) sendOne(answers[index], receivers[index]);
    waiting = socket.getSendQueueSize();
    if (waiting === 0) return;
    for (let index = 0; index < count; index += 1) outboxes[index] = createOutbox();
  };

  const endTurn = (): void => {
    isBusy = ofThisTurn >= BURST;
    ofThisTurn = 0;
    flush();
  };

  return {
    send(answer, to) {
      // Immediates run once a turn, after the sockets were looked at.
      if (ofThisTurn === 0) setImmediate(endTurn);
      ofThisTurn += 1;
      answers[gathered] = outboxes[gathered](answer);
      receivers[gathered] = to;
      gathered += 1;
      if (!isBusy || gathered === BURST) flush();
    },
    flush,
  };
}

/**
 * Copies an answer to where it stays until the next one is. Node wants a view of the datagram's own
 * length, and making one takes as long as making an answer, so views are kept, one for each length.
 */
function createOutbox(): (answer: Uint8Array) => Uint8Array {
  const buffer = Buffer.allocUnsafeSlow(OUTBOX_OCTETS);
  const views: Uint8Array[] = [];
  return (answer) => {
    const { length } = answer;
    if (length > OUTBOX_OCTETS) return new Uint8Array(answer);
    for (let at = 0; at < length; at += 1) buffer[at] = answer[at];
    return (views[length] ??= buffer.subarray(0, length));
  };
}
