import { formatName, type Name } from '../dns/name.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';

/**
 * A zone's origin in presentation form. Questions come by the thousand in a second, and all snapshots of
 * a zone share one name, so each is written out once.
 */
export function originOf({ settings: { origin } }: Pick<ZoneSnapshot, 'settings'>): string {
  const known = texts.get(origin);
  if (known !== undefined) return known;
  const text = formatName(origin);
  texts.set(origin, text);
  return text;
}

const texts = new WeakMap<Name, string>();
