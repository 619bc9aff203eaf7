import type { Config } from './config/index.ts';
import type { ZoneDefaults } from './publish/index.ts';

/**
 * An origin is at most `block.` + device and `dev` or policy label + account label + root, whatever
 * the configured root is; what is left of 255 octets is for owners (interop rule 3).
 */
const ORIGIN_OCTETS_MAX = 96;
const NAME_OCTETS_MAX = 255;
export const OWNER_OCTETS_MAX = NAME_OCTETS_MAX - ORIGIN_OCTETS_MAX;

/** What the settings say of every zone. */
export function zoneDefaults({ root, soa, zones }: Config): ZoneDefaults {
  return {
    root,
    primary: soa.ns,
    hostmaster: soa.hostmaster,
    refresh: soa.refreshSeconds,
    retry: soa.retrySeconds,
    expire: soa.expireSeconds,
    minimum: soa.minimumSeconds,
    apexTtl: soa.minimumSeconds,
    catalogs: zones.catalogs,
    zonemd: zones.zonemd,
  };
}
