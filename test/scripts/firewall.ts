import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findProgram, makePeerFolder } from '../interop/peers/index.ts';

const run = promisify(execFile);
const NAME = 'sluice-test';
let made = 0;

/**
 * A network namespace with its own, empty firewall. `folder` has `nft` and `ipset` that act in it:
 * with that folder first in PATH a script asks DNS out here and fills sets in there.
 */
export interface Firewall {
  readonly folder: string;
  run(program: 'nft' | 'ipset' | 'ip', ...args: string[]): Promise<string>;
  /** Members of a set, sorted, single addresses with their prefix length; null when absent. */
  members(backend: 'nft' | 'ipset', set: string): Promise<string[] | null>;
  /** Whether a TCP connection to 127.0.0.1 from each of these addresses is let in. */
  connects(sources: readonly string[]): Promise<boolean[]>;
  remove(): Promise<void>;
}

const CONNECTS = fileURLToPath(new URL('connects.ts', import.meta.url));
const OUTPUT_OCTETS_MAX = 64 * 1024 * 1024;

export async function makeFirewall(): Promise<Firewall> {
  const ip = programPath('ip');
  await removeAbandoned(ip);
  made++;
  const name = `${NAME}-${process.pid}-${made}`;
  await run(ip, ['netns', 'add', name]);
  const folder = join(await makePeerFolder('firewall'), 'bin');
  await mkdir(folder);
  for (const program of ['nft', 'ipset']) {
    const path = join(folder, program);
    const command = `exec ${ip} netns exec ${name} ${programPath(program)} "$@"`;
    await writeFile(path, `#!/bin/sh\n${command}\n`);
    await chmod(path, 0o755);
  }
  const inside = async (program: string, ...args: string[]) => {
    const command = ['netns', 'exec', name, programPath(program), ...args];
    return (await run(ip, command, { maxBuffer: OUTPUT_OCTETS_MAX })).stdout;
  };
  return {
    folder,
    run: inside,
    members: (backend, set) => (backend === 'nft' ? nftMembers : ipsetMembers)(inside, set),
    connects: async (sources) => {
      await inside('ip', 'link', 'set', 'lo', 'up');
      for (const source of sources) await inside('ip', 'address', 'add', source, 'dev', 'lo');
      const node = ['netns', 'exec', name, process.execPath, CONNECTS, ...sources];
      return JSON.parse((await run(ip, node)).stdout);
    },
    remove: async () => {
      await run(ip, ['netns', 'delete', name]);
    },
  };
}

/** A test process that was killed could not remove its namespaces: its id, in their names, tells. */
async function removeAbandoned(ip: string): Promise<void> {
  const { stdout } = await run(ip, ['netns', 'list']);
  for (const [name, pid] of stdout.matchAll(new RegExp(`^${NAME}-(\\d+)-\\d+`, 'gm'))) {
    if (!existsSync(`/proc/${pid}`)) await run(ip, ['netns', 'delete', name]).catch(() => null);
  }
}

type Inside = (program: string, ...args: string[]) => Promise<string>;

async function nftMembers(inside: Inside, set: string): Promise<string[] | null> {
  const listing = await inside('nft', 'list', 'set', 'inet', 'sluice', set).catch(() => null);
  if (listing === null) return null;
  const elements = /elements = \{([^}]*)\}/.exec(listing)?.[1] ?? '';
  return sorted(elements.split(','));
}

async function ipsetMembers(inside: Inside, set: string): Promise<string[] | null> {
  const listing = await inside('ipset', 'list', set).catch(() => null);
  if (listing === null) return null;
  return sorted((listing.split('Members:\n')[1] ?? '').split('\n'));
}

/** Both programs leave the prefix length of a single address out. */
function sorted(members: string[]): string[] {
  return members
    .map((member) => member.trim())
    .filter((member) => member !== '')
    .map((member) => withLength(member))
    .sort();
}

function withLength(member: string): string {
  if (member.includes('/')) return member;
  return `${member}/${member.includes(':') ? 128 : 32}`;
}

function programPath(program: string): string {
  const path = findProgram(program);
  if (path === null) throw new Error(`${program} is not installed`);
  return path;
}
