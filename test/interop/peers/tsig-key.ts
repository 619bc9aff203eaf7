import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { fillSample } from './sample.ts';

export interface TsigKey {
  readonly name: string;
  readonly algorithm: 'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512';
  /** Base64. */
  readonly secret: string;
}

export function createTsigKey(
  name: string,
  algorithm: TsigKey['algorithm'] = 'hmac-sha256',
): TsigKey {
  return { name, algorithm, secret: randomBytes(32).toString('base64') };
}

/** Writes the key as BIND keeps it; dig -k reads the same file. */
export async function writeKeyFile(path: string, key: TsigKey): Promise<void> {
  const text = await fillSample('bind/sluice-key.conf', keyValues(key));
  await writeFile(path, text, { mode: 0o600 });
}

export function keyValues(key: TsigKey | undefined): Record<string, string | undefined> {
  return {
    'key-name': key?.name,
    'key-algorithm': key?.algorithm,
    'key-secret': key?.secret,
    'key-name-or-nokey': key?.name ?? 'NOKEY',
  };
}
