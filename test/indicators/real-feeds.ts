import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** Published lists beside the repository; it ships none of them. */
const FEEDS = new URL('../../../shared/feeds/', import.meta.url);

/** The folder that they are in. */
export const FEEDS_FOLDER = fileURLToPath(FEEDS);

export const HAS_FEEDS = existsSync(FEEDS);

/** For the title of a test that needs them. */
export const NEEDS_FEEDS = HAS_FEEDS ? '' : ' (skipped: ../shared/feeds is not there)';

export function readFeed(file: string): Buffer {
  const octets = readFileSync(new URL(file, FEEDS));
  return file.endsWith('.gz') ? gunzipSync(octets) : octets;
}
