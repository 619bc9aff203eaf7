import type { ZoneBody } from './snapshot.ts';

/**
 * A number for a content as it lies in memory: the same for all zones that carry it, another after
 * every change. It says nothing outside of this process.
 */
export function contentVersion({ content }: ZoneBody): number {
  const known = versions.get(content);
  if (known !== undefined) return known;
  const version = ++last;
  versions.set(content, version);
  return version;
}

/** No content has this version: that of steps that were made before this process began. */
export const NO_VERSION = 0;

const versions = new WeakMap<object, number>();
let last = NO_VERSION;
