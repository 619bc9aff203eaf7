import { createSocket, type Socket } from 'node:dgram';
import { connect } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { createFrameReader } from '../../../src/dns/frame-reader.ts';
import {
  isMalformed,
  isNewerSerial,
  type Message,
  parseName,
  RRTYPE,
  readMessage,
  serial,
} from '../../../src/dns/index.ts';
import { type Endpoint, serialOf, soaQuery } from '../client.ts';
import { transferQuery } from '../transfer-query.ts';
import { deviceAddress } from './addresses.ts';

/** What the thread of the devices is given. */
export interface DevicesTask {
  readonly server: Endpoint;
  readonly zone: string;
  readonly devices: number;
}

/** How the devices fared. Times in milliseconds. */
export interface DevicesOutcome {
  readonly soaMs: Float64Array;
  /** From the connection until the last record. */
  readonly ixfrMs: Float64Array;
  /** Without an answer for so long that nobody waits for it any more. */
  readonly soaLost: number;
  /** Answered with another RCODE than NOERROR. */
  readonly refused: number;
  /** Asked for changes and were given the zone. */
  readonly wholeZones: number;
  readonly ixfrCut: number;
  readonly ixfrFailed: number;
  /** How many hold the serial that they were told to wait for. */
  readonly converged: number;
  /** 99th percentile of how late this thread itself was: what is measured is no more exact. */
  readonly ownDelayMs: number;
}

/** Told at the end: the serial that all should come to hold. */
export interface DevicesStop {
  readonly serial: number;
}

const POLL_MS = 1_000;
const TICK_MS = 5;
const ANSWER_TIMEOUT_MS = 5_000;
const TRANSFER_TIMEOUT_MS = 60_000;
const CONVERGENCE_TIMEOUT_MS = 30_000;

interface Device {
  readonly address: string;
  readonly socket: Socket;
  serial: number | null;
  nextPollAt: number;
  /** When the queries that have no answer yet were sent, by their ids. */
  readonly asked: Map<number, number>;
  isTransferring: boolean;
}

const { server, zone, devices: count } = workerData as DevicesTask;
const origin = parseName(zone);
const soaMs: number[] = [];
const ixfrMs: number[] = [];
const counts = { soaLost: 0, refused: 0, wholeZones: 0, ixfrCut: 0, ixfrFailed: 0 };
const delay = monitorEventLoopDelay({ resolution: 10 });
let id = 0;

const devices = Array.from({ length: count }, (_, index): Device => {
  const device: Device = {
    address: deviceAddress(index),
    socket: createSocket('udp4'),
    serial: null,
    // Spread over the second, as devices that know nothing of each other are.
    nextPollAt: performance.now() + 500 + (index * POLL_MS) / count,
    asked: new Map(),
    isTransferring: false,
  };
  device.socket.bind(0, device.address);
  device.socket.on('message', (octets) => takeSoa(device, octets));
  device.socket.on('error', () => {});
  return device;
});
delay.enable();
const ticker = setInterval(pollDue, TICK_MS);
parentPort?.once('message', (stop: DevicesStop) => void end(stop));

function pollDue(): void {
  const now = performance.now();
  for (const device of devices) {
    if (device.nextPollAt > now) continue;
    device.nextPollAt += POLL_MS;
    giveUp(device, now - ANSWER_TIMEOUT_MS);
    id = (id + 1) & 0xffff;
    device.asked.set(id, performance.now());
    device.socket.send(soaQuery(origin, id), server.port, server.address);
  }
}

/** Counts as lost what was sent before then and has no answer. */
function giveUp({ asked }: Device, sentBefore: number): void {
  for (const [query, at] of asked) {
    if (at > sentBefore) continue;
    counts.soaLost++;
    asked.delete(query);
  }
}

function takeSoa(device: Device, octets: Uint8Array): void {
  const message = readMessage(octets);
  if (isMalformed(message)) return;
  const askedAt = device.asked.get(message.id);
  if (askedAt === undefined) return;
  soaMs.push(performance.now() - askedAt);
  device.asked.delete(message.id);
  const soa = message.answers.find(({ type }) => type === RRTYPE.SOA);
  if (message.rcode !== 0 || soa === undefined) {
    counts.refused++;
    return;
  }
  const newest = serialOf(soa.rdata);
  // A device of the benchmark begins with the zone as it is: its first transfer is not what is measured.
  device.serial ??= newest;
  if (device.isTransferring || !isNewerSerial(serial(newest), serial(device.serial))) return;
  device.isTransferring = true;
  followChanges(device, device.serial);
}

/** One IXFR over a connection of its own. */
function followChanges(device: Device, from: number): void {
  const start = performance.now();
  const { address, port } = server;
  const socket = connect({ host: address, port, localAddress: device.address, noDelay: true });
  const frames = createFrameReader();
  const progress = createProgress();
  let isOver = false;
  const over = (what: keyof typeof counts | null): void => {
    if (isOver) return;
    isOver = true;
    device.isTransferring = false;
    if (what !== null) counts[what]++;
    socket.destroy();
  };
  socket.setTimeout(TRANSFER_TIMEOUT_MS, () => over('ixfrFailed'));
  socket.write(transferQuery(origin, from));
  socket.on('data', (chunk: Buffer) => {
    frames.push(chunk);
    for (let octets = frames.next(); octets !== null && !isOver; octets = frames.next()) {
      const message = readMessage(octets);
      if (isMalformed(message)) return over('ixfrFailed');
      if (message.rcode !== 0) return over('refused');
      if (!progress.add(message)) continue;
      ixfrMs.push(performance.now() - start);
      device.serial = progress.serial();
      return over(progress.isWholeZone() ? 'wholeZones' : null);
    }
  });
  socket.on('error', () => over('ixfrFailed'));
  socket.on('close', () => over('ixfrCut'));
}

/** RFC 1995 section 4: changes end with the third SOA of the new serial, a zone with the second. */
function createProgress() {
  let newest: number | null = null;
  let seen = 0;
  let records = 0;
  let isWholeZone = false;
  return {
    serial: () => newest,
    isWholeZone: () => isWholeZone,
    add({ answers }: Message): boolean {
      for (const { type, rdata } of answers) {
        records++;
        if (records === 2) isWholeZone = type !== RRTYPE.SOA;
        if (type !== RRTYPE.SOA) continue;
        newest ??= serialOf(rdata);
        if (serialOf(rdata) === newest) seen++;
      }
      return seen === (isWholeZone ? 2 : 3) || records === 1;
    },
  };
}

async function end({ serial: last }: DevicesStop): Promise<void> {
  const deadline = performance.now() + CONVERGENCE_TIMEOUT_MS;
  const holders = () => devices.filter((device) => device.serial === last).length;
  while (holders() < count && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  clearInterval(ticker);
  delay.disable();
  // The last answers are still waited for, and what does not come then is lost.
  const waitUntil = performance.now() + ANSWER_TIMEOUT_MS;
  while (devices.some(({ asked }) => asked.size > 0) && performance.now() < waitUntil) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const device of devices) giveUp(device, Number.POSITIVE_INFINITY);
  const outcome: DevicesOutcome = {
    soaMs: Float64Array.from(soaMs),
    ixfrMs: Float64Array.from(ixfrMs),
    ...counts,
    converged: holders(),
    ownDelayMs: delay.percentile(99) / 1e6,
  };
  parentPort?.postMessage(outcome);
  for (const { socket } of devices) socket.close();
}
