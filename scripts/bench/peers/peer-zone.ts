import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { parseName, type TsigKey } from '../../../src/dns/index.ts';
import { type Rules, zoneFile } from '../generate.ts';

/** The zone that the peers serve: that of Sluice, so that not even its name makes a difference. */
export const PEER_ZONE = 'rpz.bench.main.sluice.internal.';

/** The key that peers let transfers be signed with; nothing is kept secret by it. */
export const PEER_KEY: TsigKey = {
  name: parseName('bench-key.'),
  algorithm: 'hmac-sha256',
  secret: Buffer.alloc(32, 'sluice'),
};

export const PEER_KEY_TEXT = {
  name: 'bench-key',
  secret: Buffer.from(PEER_KEY.secret).toString('base64'),
};

const WRITE_CHARACTERS = 1 << 20;

/** Writes the rules as a zone file into each folder. */
export async function writeZones(folders: readonly string[], rules: Rules): Promise<void> {
  for (const folder of folders) await writeZone(join(folder, 'zone.db'), rules, 1);
}

/** Writes the rules as a zone file. */
export async function writeZone(path: string, rules: Rules, serial: number): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const file = createWriteStream(path);
  let text = '';
  for (const line of zoneFile(rules, serial)) {
    text += line;
    if (text.length < WRITE_CHARACTERS) continue;
    if (!file.write(text))
      await new Promise<void>((resolve) => file.once('drain', () => resolve()));
    text = '';
  }
  file.end(text);
  await finished(file);
}
