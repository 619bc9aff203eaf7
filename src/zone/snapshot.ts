import type { Name } from '../dns/name.ts';
import type { Serial } from '../dns/serial.ts';
import type { AccountId, DeviceId, PolicyId } from '../policy/model.ts';
import type { CatalogContent, CatalogDiff } from './catalog-content.ts';
import type { IpSide } from './ip-compile.ts';
import type { IpContent, IpDiff } from './ip-content.ts';
import type { RpzContent, RpzDiff } from './rpz-content.ts';
import type { RpzRendering } from './rpz-rendering.ts';

/** What a zone's apex says besides its serial. Times in seconds. */
export interface ZoneSettings {
  /** Absolute, lower case. */
  readonly origin: Name;
  readonly primary: Name;
  readonly hostmaster: Name;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
  /** Of the records at the apex. */
  readonly apexTtl: number;
}

export type ZoneBody =
  | { readonly kind: 'rpz'; readonly content: RpzContent; readonly rendering: RpzRendering }
  | {
      readonly kind: 'ip';
      readonly side: IpSide;
      readonly content: IpContent;
      readonly ttl: number;
    }
  | { readonly kind: 'catalog'; readonly content: CatalogContent; readonly ttl: number };

/** One committed step of a zone. */
export interface Revision {
  readonly fromSerial: Serial;
  readonly toSerial: Serial;
  /** Rdata of the ZONEMD that the zone had at `fromSerial`; null where it had none. */
  readonly fromDigest: Uint8Array | null;
  /** Unix milliseconds. */
  readonly at: number;
  readonly recordsRemoved: number;
  readonly recordsAdded: number;
  /** Versions of the contents before and after (content-version.ts). */
  readonly fromContent: number;
  readonly toContent: number;
  /** Shared by all zones that took this step, as one object. */
  readonly diff:
    | { readonly kind: 'rpz'; readonly moves: RpzDiff }
    | { readonly kind: 'ip'; readonly lists: IpDiff }
    | { readonly kind: 'catalog'; readonly members: CatalogDiff };
}

/** A zone at one serial, with the way there from older ones. Immutable. */
export interface ZoneSnapshot {
  readonly settings: ZoneSettings;
  /** Whose zone it is; null for the catalog zone of the whole server. */
  readonly accountId: AccountId | null;
  /** The policy whose content it carries; null for the zone of a device without one, and for catalog zones. */
  readonly policyId: PolicyId | null;
  /** The device whose own zone it is; null for the zones of a policy. */
  readonly deviceId: DeviceId | null;
  /** Whether the origin is a name that the policy had formerly. */
  readonly former: boolean;
  readonly serial: Serial;
  readonly body: ZoneBody;
  /**
   * Rdata of the ZONEMD at the apex (RFC 8976); null where the zone has none, as RPZ zones never have.
   * PENDING_DIGEST until it is made, which is before the snapshot is committed.
   */
  readonly digest: Uint8Array | null;
  /** Resource records, the SOA counted once. */
  readonly records: number;
  /** Oldest first; each begins where the one before ended, and the last ends at `serial`. */
  readonly revisions: readonly Revision[];
}

/** Stands for a digest to be made, so that the record is counted (RFC 8976 section 3.1). Known by being this object. */
export const PENDING_DIGEST = new Uint8Array(0);

/** What a policy has zones for. */
export type PolicySide = 'rpz' | IpSide;
export type ZoneSide = PolicySide | 'catalog';

export function sideOf(body: ZoneBody): ZoneSide {
  return body.kind === 'ip' ? body.side : body.kind;
}

/** The revisions that lead from a serial to the present, or null when history does not reach back to it. */
export function revisionsSince(snapshot: ZoneSnapshot, from: Serial): readonly Revision[] | null {
  const index = snapshot.revisions.findIndex((revision) => revision.fromSerial === from);
  return index < 0 ? null : snapshot.revisions.slice(index);
}
