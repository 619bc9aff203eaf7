import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { formatName } from '../../src/dns/index.ts';
import type { Server } from './server.ts';

const run = promisify(execFile);
const DIG_TIMEOUT_MS = 120_000;

/**
 * Takes a signed transfer with dig, which verifies every signature and reads every record, as the
 * client that is measured does not; returns how many records came. Throws when dig is not content.
 */
export async function digSignedTransfer(server: Server, folder: string): Promise<number> {
  const { tsigKey, zone, address, port } = server;
  if (tsigKey === undefined) throw new Error(`${server.name} has no key`);
  const keyFile = join(folder, 'key');
  const secret = Buffer.from(tsigKey.secret).toString('base64');
  writeFileSync(
    keyFile,
    `key "${formatName(tsigKey.name)}" { algorithm ${tsigKey.algorithm}; secret "${secret}"; };\n`,
  );
  const { stdout } = await run(
    'dig',
    [`@${address}`, '-p', String(port), '-k', keyFile, '+noall', '+stats', zone, 'AXFR'],
    { timeout: DIG_TIMEOUT_MS },
  );
  const records = /XFR size: (\d+) records/.exec(stdout)?.[1];
  if (records === undefined || /verify|failed/i.test(stdout)) {
    throw new Error(`dig does not take the signed zone of ${server.name}: ${stdout}`);
  }
  return Number(records);
}
