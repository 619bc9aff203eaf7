import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../../dns/address.ts';
import { type Name, nameKey, namesEqual, parseName, type TsigKey } from '../../dns/index.ts';
import type { Feed, FeedId } from '../../policy/model.ts';
import { keyOf, type TransferSource } from './transfer-source.ts';

/** What becomes of a NOTIFY, as the nameserver answers it. */
export type NotifyVerdict = 'taken' | 'stranger' | 'not-followed';

/** Hears the primaries of upstream zones (RFC 1996) and has their feeds read at once. */
export interface NotifyHearing {
  findKey(name: Name): TsigKey | undefined;
  notified(event: {
    readonly zone: Name;
    readonly address: string;
    readonly key: TsigKey | null;
  }): NotifyVerdict;
}

interface Followed {
  readonly id: FeedId;
  readonly zone: Name;
  /** As addresses of requests are written. */
  readonly address: string;
  readonly key: TsigKey | null;
}

export function hearNotifies(options: {
  readonly feeds: () => ReadonlyMap<FeedId, Feed>;
  readonly run: (feedId: FeedId, actor: string) => void;
}): NotifyHearing {
  let known: ReadonlyMap<FeedId, Feed> | undefined;
  let followed: readonly Followed[] = [];
  /** Made once per state of the feeds: a NOTIFY costs a look at what is followed. */
  const now = (): readonly Followed[] => {
    const feeds = options.feeds();
    if (feeds !== known) {
      known = feeds;
      followed = [...feeds.values()].flatMap(followedBy);
    }
    return followed;
  };
  return {
    findKey: (name) =>
      now().find(({ key }) => key !== null && namesEqual(key.name, name))?.key ?? undefined,
    notified({ zone, address, key }) {
      const wanted = nameKey(zone);
      const ofZone = now().filter((each) => nameKey(each.zone) === wanted);
      if (ofZone.length === 0) return 'not-followed';
      // RFC 1996 section 3.10: from a primary, known by its address or by the key that it shares.
      const heard = ofZone.filter(
        (each) => each.address === address || (key !== null && each.key === key),
      );
      for (const { id } of heard) options.run(id, `NOTIFY from ${address}`);
      return heard.length > 0 ? 'taken' : 'stranger';
    },
  };
}

function followedBy({ id, enabled, source }: Feed): Followed[] {
  if (!enabled || source.kind !== 'transfer') return [];
  const { zone, address } = source satisfies TransferSource;
  return [{ id, zone: parseName(zone), address: canonicalAddress(address), key: keyOf(source) }];
}

function canonicalAddress(address: string): string {
  const v4 = parseIpv4(address);
  if (v4 !== null) return formatIpv4(v4);
  const v6 = parseIpv6(address);
  return v6 === null ? address : formatIpv6(v6);
}
