import { afterEach } from 'vitest';
import { encodeRdata, parseName, type Serial, serial } from '../../src/dns/index.ts';
import {
  type Acknowledgement,
  type Failure,
  type Notifier,
  type NotifierOptions,
  type ServedSoa,
  startNotifier,
} from '../../src/notify/index.ts';
import { type MemoryOutbox, memoryOutbox } from './memory-outbox.ts';
import { type Peer, type Script, startPeer } from './peer.ts';

const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

export const ZONE = 'rpz.home.acme.sluice.internal.';
export const DEVICE = 7;

export interface Scene {
  readonly outbox: MemoryOutbox;
  readonly acknowledged: Acknowledgement[];
  readonly failed: Failure[];
  readonly logged: { level: string; message: string; details: Record<string, unknown> }[];
  /** What each zone is served with. */
  readonly served: Map<string, Serial>;
  peer(address?: string, script?: Script, port?: number): Promise<Peer>;
  start(options?: Partial<NotifierOptions>): Notifier;
  /** What publish does: commits the row, serves the serial, wakes. */
  publish(peer: Pick<Peer, 'address' | 'port'>, value: number, zone?: string): void;
}

export function scene(): Scene {
  const outbox = memoryOutbox();
  const acknowledged: Acknowledgement[] = [];
  const failed: Failure[] = [];
  const logged: Scene['logged'] = [];
  const served = new Map<string, Serial>();
  const notifiers: Notifier[] = [];
  const note =
    (level: string) =>
    (details: object, message: string): void => {
      logged.push({ level, message, details: { ...details } });
    };
  return {
    outbox,
    acknowledged,
    failed,
    logged,
    served,
    async peer(address, script, port) {
      const peer = await startPeer(address, script, port);
      endings.push(peer.close);
      return peer;
    },
    start(options = {}) {
      const notifier = startNotifier({
        store: outbox,
        findKey: () => undefined,
        soaRdata: (origin) => soaOf(served.get(origin)),
        onAcknowledged: (each) => acknowledged.push(each),
        onFailed: (each) => failed.push(each),
        log: { info: note('info'), warn: note('warn'), error: note('error') },
        answerTimeoutMs: 1_000,
        retryMsMin: 50,
        random: () => 0,
        ...options,
      });
      notifiers.push(notifier);
      endings.push(notifier.stop);
      return notifier;
    },
    publish({ address, port }, value, zone = ZONE) {
      outbox.owe({ deviceId: DEVICE, origin: zone, address, port, serial: value });
      served.set(zone, serial(value));
      for (const notifier of notifiers) notifier.wake();
    },
  };
}

export function soaOf(value: Serial | undefined): ServedSoa | null {
  if (value === undefined) return null;
  const rdata = encodeRdata({
    type: 'SOA',
    mname: parseName('ns.sluice.internal.'),
    rname: parseName('hostmaster.sluice.internal.'),
    serial: value,
    refresh: 900,
    retry: 300,
    expire: 1_209_600,
    minimum: 60,
  });
  return { serial: value, ttl: 60, rdata };
}

/** Waits until `check` is true; fails the test by its own time limit otherwise. */
export async function until(check: () => boolean): Promise<void> {
  while (!check()) await sleep(2);
}

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));
