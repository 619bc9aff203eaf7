import { execFileSync, spawnSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';

/** What figures belong to: they say nothing without it. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  /** Of each server, as its program says. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Programs that say their versions in a form of their own. */
const PROGRAMS: readonly (readonly [name: string, command: readonly string[], version: RegExp])[] =
  [
    ['BIND', ['named', '-v'], /BIND (\S+)/],
    ['Knot', ['knotd', '--version'], /version (\S+)/],
    ['NSD', ['nsd', '-v'], /version (\S+)/],
    ['PowerDNS', ['pdns_server', '--version'], /Server (\S+)/],
    ['Unbound', ['unbound', '-V'], /Version (\S+)/],
    ['dnsperf', ['dnsperf', '-h'], /Version (\S+)/],
  ];

export function describeMachine(): Machine {
  return {
    processor: cpus()[0].model.trim(),
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    versions: Object.fromEntries(
      PROGRAMS.map(([name, command, version]) => [name, versionOf(command, version)]),
    ),
  };
}

/** The commit that is measured, marked when the sources differ from it. */
export function currentCommit(): string {
  return git('rev-parse', '--short=10', 'HEAD') + (isChanged() ? ' with changes' : '');
}

/** Names the sources of the server, whatever else a commit holds; changed ones are never the same. */
export function sourceVersion(): string {
  return git('rev-parse', '--short=10', 'HEAD:src') + (isChanged() ? `-${Date.now()}` : '');
}

function isChanged(): boolean {
  return git('status', '--porcelain', '--', '../../src') !== '';
}

function git(...options: string[]): string {
  return execFileSync('git', options, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
}

function versionOf([program, ...options]: readonly string[], version: RegExp): string {
  const { stdout, stderr } = spawnSync(program, options, { encoding: 'utf8' });
  return version.exec(`${stdout}${stderr}`)?.[1] ?? 'not installed';
}
