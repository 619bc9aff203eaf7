import { CLASS, encodeRdata, parseName, type ResourceRecord, RRTYPE } from '../../src/dns/index.ts';
import { askSerial, update, waitForSerial, type ZoneUpdate } from './client.ts';
import { PEER_ZONE } from './peers/peer-zone.ts';
import type { Server } from './server.ts';
import type { SluiceServer } from './servers.ts';

/** Names with their subtrees that come to be blocked, and that go. */
export interface NameChange {
  readonly add: readonly string[];
  readonly remove?: readonly string[];
}

export interface Published {
  /** From the call until the new serial is answered. */
  readonly ms: number;
  /** The serial before. */
  readonly from: number;
}

/**
 * Changes a zone in the way that its server has for it, the admin API or a DNS UPDATE, and waits until
 * the new serial is answered.
 */
export async function publishChange(
  server: Server | SluiceServer,
  change: NameChange,
): Promise<Published> {
  const from = await askSerial(server, server.zone);
  const start = performance.now();
  await sendChange(server, change);
  await waitForSerial(server, server.zone, from);
  return { ms: performance.now() - start, from };
}

/** The same without waiting until it is served. */
export async function sendChange(server: Server | SluiceServer, change: NameChange): Promise<void> {
  if ('api' in server) await callApi(server, change);
  else await sendUpdates(server, change);
}

async function callApi(server: SluiceServer, { add, remove = [] }: NameChange): Promise<void> {
  await server.api('PATCH', `/targets/${server.targetId}/indicators`, { add, remove });
}

/** What goes and what comes are messages of their own: together they may be too long for one. */
async function sendUpdates(server: Server, { add, remove = [] }: NameChange): Promise<void> {
  const updates: ZoneUpdate[] = [];
  if (remove.length > 0) updates.push({ removed: remove.flatMap(recordsOf) });
  if (add.length > 0) updates.push({ added: add.flatMap(recordsOf) });
  for (const zoneUpdate of updates) {
    const { rcode } = await update(server, server.zone, zoneUpdate);
    if (rcode !== 0) throw new Error(`${server.name} refuses the update with RCODE ${rcode}`);
  }
}

const NXDOMAIN = encodeRdata({ type: 'CNAME', target: parseName('.') });

function recordsOf(name: string): ResourceRecord[] {
  return [name, `*.${name}`].map((owner) => ({
    name: parseName(`${owner}.${PEER_ZONE}`),
    type: RRTYPE.CNAME,
    class: CLASS.IN,
    ttl: 60,
    rdata: NXDOMAIN,
  }));
}
