import { createHash } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import type { PrefixPage } from '../../zone/ip-pages.ts';
import type { PlainBody } from '../../zone/plain-records.ts';
import {
  DIGEST_CHUNK_OCTETS,
  DIGEST_HASH,
  type DigestedZone,
  digestInput,
} from '../../zone/zone-digest.ts';
import type { DigestOrder, DigestReport, NumberedBody } from './digest-messages.ts';

/**
 * The work of the digest thread. It keeps the pages that it was told to keep, and with them what the
 * digest takes of each; how many that are is up to the other side.
 */
export function serveDigests(port: MessagePort): void {
  const pages = new Map<number, PrefixPage>();
  let body: PlainBody | null = null;
  port.on('message', (order: DigestOrder) => {
    switch (order.kind) {
      case 'keep':
        for (const { id, page } of order.pages) pages.set(id, page);
        break;
      case 'forget':
        for (const id of order.ids) pages.delete(id);
        break;
      case 'body':
        body = bodyFrom(order.body, pages);
        break;
      case 'digest': {
        if (body === null) throw new Error('zones to digest, and no body');
        for (const { id, settings, serial } of order.zones) {
          const digest = digestOf({ settings, serial, body });
          port.postMessage({ id, digest } satisfies DigestReport);
        }
        break;
      }
      case 'end':
        port.close();
    }
  });
}

/** For all zones: a piece is hashed before the next is made. */
const room = new Uint8Array(DIGEST_CHUNK_OCTETS);

function digestOf(zone: DigestedZone): Uint8Array {
  const hash = createHash(DIGEST_HASH);
  for (const piece of digestInput(zone, () => room)) hash.update(piece);
  return Uint8Array.from(hash.digest());
}

function bodyFrom(
  { side, ttl, ids, pages4, leftOut }: NumberedBody,
  kept: ReadonlyMap<number, PrefixPage>,
): PlainBody {
  const pages = Array.from(ids, (id) => {
    const page = kept.get(id);
    if (page === undefined) throw new Error(`page ${id} is not kept`);
    return page;
  });
  const [hosts4, hosts6] = pages.splice(-2);
  const hosts = { v4: hosts4.prefixes, v6: hosts6.prefixes, leftOut };
  const content = { v4: pages.slice(0, pages4), v6: pages.slice(pages4), hosts };
  return { kind: 'ip', side, ttl, content };
}
