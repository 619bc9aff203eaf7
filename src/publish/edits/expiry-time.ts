import type { Fields } from './fields.ts';

/** ISO 8601 with a date, a time and a zone: a time without zone would mean the server's. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/** Reads when something ends, as Unix milliseconds: a time that is still to come, or null for never. */
export function readExpiryTime(
  fields: Fields,
  key: string,
  { now, otherwise }: { readonly now: number; readonly otherwise: number | null },
): number | null {
  if (!fields.has(key)) return otherwise;
  const value = fields.raw(key);
  if (value === null) return null;
  const time = typeof value === 'string' && ISO_TIME.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) {
    const rule = 'A time is written like 2030-01-31T12:00:00Z, or null for never.';
    fields.refuse('invalid-value', key, rule);
  } else if (time <= now) {
    fields.refuse('invalid-value', key, 'The time of expiry lies in the future.');
  }
  return time;
}
