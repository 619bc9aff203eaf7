import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HAS_FEEDS, NEEDS_FEEDS, readFeed } from '../indicators/real-feeds.ts';
import {
  axfr,
  compareZones,
  endpointFor,
  eventually,
  keepPeersTidy,
  makePeerFolder,
  type Named,
  requirePeer,
  servedSerial,
  startNamed,
} from './peers/index.ts';
import { type Api, addDevice, apiClient, configurationText } from './sluice-primary.ts';

keepPeersTidy();

const SAME = { onlyInFirst: [], onlyInSecond: [] };
const RPZ = 'rpz.corp.main.sluice.internal';
const BLOCK = 'block.fw.main.sluice.internal';
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const TRANSFER_MS_MAX = 30_000;

const NAME_FEEDS = ['domains-phishing.txt.gz', 'domains-stevenblack.txt.gz'];
const ADDRESS_FEEDS = ['data-shield-ipv4.txt.gz', 'ipsum.txt.gz', 'ipsum-level3.txt'];

/** In every policy, so that its effect can be tested. */
const CANARY = { name: 'canary.sluice.example', address: '192.0.2.53' };

const installed = requirePeer('named', 'dig');

describe.skipIf(!HAS_FEEDS || !installed)(`Published lists${NEEDS_FEEDS}`, () => {
  let program: Program;
  let named: Named;
  const loaded = new Map<string, Loaded>();
  const keys = new Map<string, Awaited<ReturnType<typeof addDevice>>['key']>();
  const figures: string[] = [];

  beforeAll(async () => {
    program = await startProgram();
    for (const file of [...NAME_FEEDS, ...ADDRESS_FEEDS]) {
      const { result, figure } = await timed(file, () => loadFeed(program.api, file));
      loaded.set(file, result);
      figures.push(`${figure}, ${result.size} indicators`);
    }
    figures.push(`targets alone: ${program.memory()}`);
    for (const [zone, name, type, feeds] of [
      [RPZ, 'corp', 'dns', NAME_FEEDS],
      [BLOCK, 'fw', 'ip', ADDRESS_FEEDS],
    ] as const) {
      const attachments = feeds.map((file) => ({ kind: 'target', id: loaded.get(file)!.id }));
      const { result, figure } = await timed(`policy ${name}`, () =>
        program.api.ok('POST', '/policies', { name, type, attachments }),
      );
      figures.push(figure);
      const policyId = Number(result.policy?.id);
      keys.set(zone, (await addDevice(program.api, { name, type, policyId })).key);
    }
    figures.push(`both policies published: ${program.memory()}`);
  });
  afterAll(async () => {
    await named?.stop();
    await program?.stop();
    console.info(figures.join('\n'));
  });

  it('come in whole: each distinct line is held, or rejected with a reason', () => {
    for (const [file, { size, rejected, rejectedTotal, lines }] of loaded) {
      expect(rejectedTotal, file).toBe(rejected.length);
      expect(size, file).toBe(withoutRejected(lines, rejected).size);
    }
  });

  it('are transferred by BIND, record for record as Sluice serves them', async () => {
    const { figure } = await timed('BIND has both zones', async () => {
      const secondaries = [RPZ, BLOCK].map((zone) => ({
        zone,
        primary: program.dns,
        key: keys.get(zone)!,
      }));
      named = await startNamed({ secondaries });
      for (const zone of [RPZ, BLOCK]) {
        const { serial } = await program.api.ok('GET', `/zones/${zone}`);
        await eventually(
          `BIND serves ${zone}`,
          async () => (await servedSerial(named, zone)) === Number(serial),
          TRANSFER_MS_MAX,
        );
      }
    });
    figures.push(figure, `after the transfers: ${program.memory()}`);
    for (const zone of [RPZ, BLOCK]) {
      const { result: ours, figure } = await timed(`dig AXFR ${zone}`, () =>
        axfr(program.dns, zone, { key: keys.get(zone)! }),
      );
      figures.push(`${figure}, ${ours.length} records`);
      expect(ours).toHaveLength(Number((await program.api.ok('GET', `/zones/${zone}`)).records));
      expect(compareZones(await axfr(named, zone), ours)).toEqual(SAME);
    }
  }, 90_000);

  it('block each name and what is below it, and nothing else', async () => {
    const names = new Set([CANARY.name]);
    for (const file of NAME_FEEDS) {
      const { lines, rejected } = loaded.get(file)!;
      for (const name of withoutRejected(lines, rejected)) names.add(name);
    }
    const expected = [...names]
      .filter((name) => !hasAncestorIn(names, name))
      .flatMap((name) => [name, `*.${name}`]);
    const owners = (await axfr(named, RPZ))
      .filter((line) => line.endsWith(' IN CNAME .') && !line.includes('.rpz-ip.'))
      .map((line) => line.slice(0, line.indexOf(' ') - RPZ.length - 2));
    figures.push(`${names.size} distinct names, ${expected.length / 2} not below another`);
    expect(compareZones(owners, expected)).toEqual(SAME);
  }, 60_000);

  it('block each address, and nothing else', async () => {
    const addresses = new Set([numberOf(CANARY.address)]);
    for (const file of ADDRESS_FEEDS) {
      const { lines, rejected } = loaded.get(file)!;
      for (const address of withoutRejected(lines, rejected)) addresses.add(numberOf(address));
    }
    const listed = (await axfr(named, BLOCK)).flatMap((line) =>
      [...line.matchAll(/ 1:([\d.]+)\/(\d+)/g)].flatMap(([, first = '', length]) =>
        Array.from({ length: 2 ** (32 - Number(length)) }, (_, at) => numberOf(first) + at),
      ),
    );
    figures.push(`${addresses.size} distinct addresses`);
    const zone = await program.api.ok('GET', `/zones/${BLOCK}`);
    expect(Number(zone.addresses4)).toBe(addresses.size);
    // Each once, and in pages of ascending order, so that sorting makes the two comparable.
    const ascending = (numbers: Iterable<number>) => Uint32Array.from(numbers).sort();
    expect(Buffer.compare(asOctets(ascending(listed)), asOctets(ascending(addresses)))).toBe(0);
  });
});

interface Loaded {
  readonly id: number;
  readonly size: number;
  /** Distinct, by rules written anew here. */
  readonly lines: ReadonlySet<string>;
  readonly rejected: readonly string[];
  readonly rejectedTotal: number;
}

async function loadFeed(api: Api, file: string): Promise<Loaded> {
  const text = readFeed(file);
  const { target } = await api.ok('POST', '/targets', { name: file });
  const id = Number(target?.id);
  const answer = await api.ok('PUT', `/targets/${id}/indicators`, text);
  const rejected = answer.rejected as unknown as readonly { readonly text: string }[];
  return {
    id,
    size: Number((await api.ok('GET', `/targets/${id}`)).size),
    lines: distinctLines(text.toString()),
    rejected: rejected.map((line) => line.text),
    rejectedTotal: Number(answer.rejectedTotal),
  };
}

/** As naive as can be: comments, blanks, counts behind a tab, case and one final dot go. */
function distinctLines(text: string): Set<string> {
  return new Set(
    text
      .split(/\r?\n/)
      .map(naiveValue)
      .filter((line) => line !== ''),
  );
}

function naiveValue(line: string): string {
  return line
    .replace(/(^|\s)[#;].*/, '')
    .replace(/\t\d+$/, '')
    .trim()
    .toLowerCase()
    .replace(/\.$/, '');
}

function withoutRejected(lines: ReadonlySet<string>, rejected: readonly string[]): Set<string> {
  const left = new Set(lines);
  for (const line of rejected) left.delete(naiveValue(line));
  return left;
}

function hasAncestorIn(names: ReadonlySet<string>, name: string): boolean {
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    if (names.has(name.slice(dot + 1))) return true;
  }
  return false;
}

function numberOf(address: string): number {
  return address.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);
}

function asOctets(numbers: Uint32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

async function timed<T>(
  what: string,
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly figure: string }> {
  const began = performance.now();
  const result = await run();
  return { result, figure: `${what}: ${Math.round(performance.now() - began)} ms` };
}

/** Sluice in a process of its own, so that its memory can be told from that of the test. */
interface Program {
  readonly api: Api;
  readonly dns: { readonly address: string; readonly port: number };
  memory(): string;
  stop(): Promise<void>;
}

async function startProgram(): Promise<Program> {
  const folder = await makePeerFolder('feeds');
  const [dns, http] = [await endpointFor('named'), await endpointFor('named')];
  const config = join(folder, 'sluice.yaml');
  await writeFile(config, configurationText({ folder: join(folder, 'data'), dns, http }));
  const child = spawn(process.execPath, [MAIN, '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (piece: Buffer) => {
    output += piece.toString();
  });
  const token = await eventually('Sluice tells its token', () => /sluice_\S+/.exec(output)?.[0]);
  return {
    api: apiClient(http, token),
    dns,
    memory: () => memoryOf(child),
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function memoryOf({ pid }: ChildProcess): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (field: string) =>
    Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
  return `resident ${mebibytes('VmRSS')} MiB, at most ${mebibytes('VmHWM')} MiB`;
}
