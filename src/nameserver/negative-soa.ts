import type { Serial } from '../dns/serial.ts';
import { soaRrset } from '../zone/apex.ts';
import type { RelativeRrset } from '../zone/records.ts';
import type { ZoneSettings } from '../zone/snapshot.ts';

/** RFC 2308 section 3: the SOA of a negative answer has the smaller of its TTL and its minimum. */
export function negativeSoa(settings: ZoneSettings, zoneSerial: Serial): RelativeRrset {
  const soa = soaRrset(settings, zoneSerial);
  return { ...soa, ttl: Math.min(soa.ttl, settings.minimum) };
}
