import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ask } from './ask.ts';
import type { Endpoint } from './endpoint.ts';
import { makePeerFolder } from './program.ts';
import { findProgram } from './require-peer.ts';
import { type TsigKey, writeKeyFile } from './tsig-key.ts';

const run = promisify(execFile);
const OUTPUT_OCTETS_MAX = 512 * 1024 * 1024;
const TRANSFER_MS_MAX = 120_000;
/** Their rdata begins or consists of names, in which case does not matter. */
const TYPES_WITH_NAMES = new Set(['SOA', 'NS', 'CNAME', 'PTR', 'MX', 'DNAME', 'SRV']);

/**
 * Transfers a zone with dig and returns its records, a line each, in an order that depends on the
 * content alone: owner and names in lower case, single spaces, the SOA once.
 */
export async function axfr(
  server: Endpoint,
  zone: string,
  options: { readonly key?: TsigKey; readonly from?: string } = {},
): Promise<string[]> {
  const dig = findProgram('dig');
  if (dig === null) throw new Error('dig is not installed');
  const folder = await makePeerFolder('dig');
  try {
    const args = [`@${server.address}`, '-p', String(server.port)];
    if (options.from !== undefined) args.push('-b', options.from);
    if (options.key !== undefined) {
      const keyFile = join(folder, 'key');
      await writeKeyFile(keyFile, options.key);
      args.push('-k', keyFile);
    }
    args.push('+noall', '+answer', '+onesoa', '+tries=1', '-t', 'AXFR', '-q', zone);
    const limits = { maxBuffer: OUTPUT_OCTETS_MAX, timeout: TRANSFER_MS_MAX };
    const { stdout } = await run(dig, args, { ...limits, env: { HOME: folder } });
    return readTransfer(zone, stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readTransfer(zone: string, output: string): string[] {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const complaint = lines.find((line) => line.startsWith(';') && !line.startsWith('; <<>>'));
  if (complaint !== undefined && !complaint.startsWith(';; global options')) {
    throw new Error(`AXFR of ${zone}: ${complaint}`);
  }
  const records = readRecords(lines);
  if (records.length === 0) throw new Error(`AXFR of ${zone}: nothing came`);
  return records;
}

/** Records in the form that `axfr` gives them; lines that are comments or empty are left out. */
export function readRecords(lines: readonly string[]): string[] {
  return lines
    .filter((line) => line.trim() !== '' && !line.startsWith(';'))
    .map(canonicalLine)
    .sort();
}

function canonicalLine(line: string): string {
  const [owner = '', ttl = '', recordClass = '', type = '', ...rdata] = line.trim().split(/\s+/);
  const data = rdata.join(' ');
  const canonical = TYPES_WITH_NAMES.has(type) ? data.toLowerCase() : data;
  return [owner.toLowerCase(), ttl, recordClass, type, canonical].join(' ').trimEnd();
}

export interface ZoneDifference {
  readonly onlyInFirst: string[];
  readonly onlyInSecond: string[];
}

/** For `expect(compareZones(a, b)).toEqual(SAME)`-style tests: both lists are empty when equal. */
export function compareZones(first: readonly string[], second: readonly string[]): ZoneDifference {
  return { onlyInFirst: without(first, second), onlyInSecond: without(second, first) };
}

/** Counts count: a line that stands twice here and once there is a difference. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}

/** The serial in the SOA that a server answers with authority; null when it does not serve it. */
export async function servedSerial(server: Endpoint, zone: string): Promise<number | null> {
  const response = await ask(server, { name: zone, type: 'SOA', recursionDesired: false });
  const soa = response?.answers.find((record) => record.type === 'SOA');
  return response?.authoritative === true && soa?.type === 'SOA' ? (soa.data.serial ?? null) : null;
}
