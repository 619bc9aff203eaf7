import type { IpContent } from '../../zone/ip-content.ts';
import type { PrefixPage } from '../../zone/ip-pages.ts';
import type { PrefixRows } from '../../zone/prefix-rows.ts';

/** Bodies whose pages are kept at most; the next one makes the thread forget them all. */
const BODIES_KEPT_MAX = 1_000;
/** Of hosts, which go as a page and are no APL records. */
const NO_BUCKETS = new Uint16Array(0);

/**
 * Which pages the thread has, and for whom: those of the body that was last digested under each name.
 * A page that no body has any more is forgotten with the next body of that name.
 */
export function createPageBook(octetsMax: number) {
  /** By the page, or the rows of hosts: these objects never change. */
  const numbers = new WeakMap<PrefixPage | PrefixRows, number>();
  const kept = new Map<number, { readonly octets: number; holders: number }>();
  const held = new Map<string, Uint32Array>();
  let octets = 0;
  let lastId = 0;

  /** What was forgotten is sent anew, under another number. */
  const numberOfKept = (part: PrefixPage | PrefixRows): number | null => {
    const id = numbers.get(part);
    return id !== undefined && kept.has(id) ? id : null;
  };

  return {
    /** Makes room for a content. Returns the pages that the thread has to forget first: all, or none. */
    makeRoom(content: IpContent): Uint32Array {
      const fresh = partsOf(content).filter((part) => numberOfKept(part) === null);
      const coming = fresh.reduce((sum, part) => sum + octetsOfPart(part), 0);
      if (octets + coming <= octetsMax && held.size < BODIES_KEPT_MAX) return new Uint32Array(0);
      const all = Uint32Array.from(kept.keys());
      kept.clear();
      held.clear();
      octets = 0;
      return all;
    },
    /** The number of a page, and the page itself when the thread does not have it yet. */
    numberOf(part: PrefixPage | PrefixRows): {
      readonly id: number;
      readonly fresh: PrefixPage | null;
    } {
      const known = numberOfKept(part);
      if (known !== null) return { id: known, fresh: null };
      const id = ++lastId;
      numbers.set(part, id);
      kept.set(id, { octets: octetsOfPart(part), holders: 0 });
      octets += octetsOfPart(part);
      const fresh = 'prefixes' in part ? part : { prefixes: part, bucketStarts: NO_BUCKETS };
      return { id, fresh };
    },
    /** These zones have these pages from now on. Returns the pages that nobody has any more. */
    hold(origins: readonly string[], ids: Uint32Array): Uint32Array {
      for (const id of ids) kept.get(id)!.holders++;
      const forgotten: number[] = [];
      for (const origin of origins) {
        for (const id of held.get(origin) ?? []) {
          const page = kept.get(id)!;
          if (--page.holders > 0) continue;
          kept.delete(id);
          octets -= page.octets;
          forgotten.push(id);
        }
        held.delete(origin);
      }
      held.set(origins[0], ids);
      return Uint32Array.from(forgotten);
    },
  };
}

/** Octets of the rows that a thread has to have for a content. */
export function octetsOfContent(content: IpContent): number {
  return partsOf(content).reduce((sum, part) => sum + octetsOfPart(part), 0);
}

/** The pages of a content, and then the rows of its hosts of both families. */
export function partsOf({ v4, v6, hosts }: IpContent): readonly (PrefixPage | PrefixRows)[] {
  return [...v4, ...v6, hosts.v4, hosts.v6];
}

function octetsOfPart(part: PrefixPage | PrefixRows): number {
  const { addresses, lengths } = 'prefixes' in part ? part.prefixes : part;
  return addresses.byteLength + lengths.byteLength;
}
