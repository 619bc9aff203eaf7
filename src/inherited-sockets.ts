import { readFileSync, readlinkSync } from 'node:fs';
import { StartError } from './start-error.ts';

/** File descriptors of sockets that are bound already, by what is spoken on them. */
export interface InheritedSockets {
  readonly udp: readonly number[];
  readonly tcp: readonly number[];
  readonly tls: readonly number[];
}

export const NO_SOCKETS: InheritedSockets = { udp: [], tcp: [], tls: [] };

/** sd_listen_fds(3): the first one, SD_LISTEN_FDS_START. */
const FIRST_DESCRIPTOR = 3;
/** Far above what anybody listens on; keeps a wrong number from being looped over. */
const DESCRIPTORS_MAX = 64;

/**
 * The sockets that the service manager bound and passed on, as sd_listen_fds_with_names(3) says: none
 * unless LISTEN_PID is this process. Takes the variables out of `env`, so that no child believes that
 * they are meant for it. Throws StartError for a socket that nothing can be done with.
 *
 * A socket unit gives all its sockets one name. `dns` stands for UDP and TCP by what the socket is,
 * as does the name that systemd gives when the unit gives none; `dns-udp`, `dns-tcp` and `dns-tls`
 * must be what they say.
 */
export function takeInheritedSockets(env: NodeJS.ProcessEnv): InheritedSockets {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  if (LISTEN_PID === undefined || LISTEN_FDS === undefined) return NO_SOCKETS;
  if (Number(LISTEN_PID) !== process.pid) return NO_SOCKETS;
  const count = Number(LISTEN_FDS);
  if (!Number.isInteger(count) || count < 0 || count > DESCRIPTORS_MAX) {
    const rule = `it must be a number of sockets from 0 to ${DESCRIPTORS_MAX}`;
    throw new StartError('LISTEN_FDS', LISTEN_FDS, rule);
  }
  const names = LISTEN_FDNAMES?.split(':') ?? [];
  const sockets = { udp: [], tcp: [], tls: [] } as Record<keyof InheritedSockets, number[]>;
  for (let index = 0; index < count; index++) {
    const descriptor = FIRST_DESCRIPTOR + index;
    sockets[useOf(descriptor, names[index] ?? 'unknown')].push(descriptor);
  }
  return sockets;
}

type Transport = 'udp' | 'tcp';

/** What each name may be for, by the transport of the socket. */
const USES: Readonly<Record<string, Partial<Record<Transport, keyof InheritedSockets>>>> = {
  dns: { udp: 'udp', tcp: 'tcp' },
  'dns-udp': { udp: 'udp' },
  'dns-tcp': { tcp: 'tcp' },
  'dns-tls': { tcp: 'tls' },
  // What systemd calls them when the socket unit does not, or when there is no unit.
  'sluice.socket': { udp: 'udp', tcp: 'tcp' },
  unknown: { udp: 'udp', tcp: 'tcp' },
};

function useOf(descriptor: number, name: string): keyof InheritedSockets {
  const transport = transportOf(descriptor);
  if (transport === null) {
    const rule = 'it must be a UDP socket, or a TCP socket that listens';
    throw new StartError('LISTEN_FDS', `descriptor ${descriptor} (${name})`, rule);
  }
  const use = Object.hasOwn(USES, name) ? USES[name]?.[transport] : undefined;
  if (use === undefined) {
    const rule = `for a ${transport.toUpperCase()} socket FileDescriptorName= must be dns, dns-${transport}${transport === 'tcp' ? ' or dns-tls' : ''}`;
    throw new StartError('LISTEN_FDNAMES', name, rule);
  }
  return use;
}

/** Where the kernel lists sockets, and the state that each must have: TCP_LISTEN for those of TCP. */
const SOCKET_TABLES = [
  { transport: 'udp', file: '/proc/self/net/udp', state: null },
  { transport: 'udp', file: '/proc/self/net/udp6', state: null },
  { transport: 'tcp', file: '/proc/self/net/tcp', state: '0A' },
  { transport: 'tcp', file: '/proc/self/net/tcp6', state: '0A' },
] as const;
const STATE_COLUMN = 3;
const INODE_COLUMN = 9;

/** Node does not tell what a descriptor is, but the kernel does (proc(5)). Null for anything else. */
function transportOf(descriptor: number): Transport | null {
  const inode = inodeOf(descriptor);
  if (inode === null) return null;
  const found = SOCKET_TABLES.find(({ file, state }) =>
    readTable(file).some((line) => {
      const columns = line.trim().split(/\s+/);
      return (
        columns[INODE_COLUMN] === inode &&
        (state ?? columns[STATE_COLUMN]) === columns[STATE_COLUMN]
      );
    }),
  );
  return found?.transport ?? null;
}

function inodeOf(descriptor: number): string | null {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1] ?? null;
  } catch {
    return null;
  }
}

/** A kernel without IPv6 has no table for it. */
function readTable(file: string): readonly string[] {
  try {
    return readFileSync(file, 'latin1').split('\n');
  } catch {
    return [];
  }
}
