import { existsSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Whether a bound UDP socket is one of IPv4 or of IPv6. Node has to know before it takes the socket
 * over, and cannot tell; Linux does, which is where sockets are handed over (proc(5), proc_pid_net(5)).
 */
export function familyOfUdpSocket(fd: number): 4 | 6 {
  const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  if (inode === undefined) throw new Error(`file descriptor ${fd} is no socket`);
  return holdsInode('/proc/self/net/udp6', inode) ? 6 : 4;
}

/** The tenth column of the table is the inode. */
const INODE_COLUMN = 9;

function holdsInode(table: string, inode: string): boolean {
  // A kernel without IPv6 has no such table.
  if (!existsSync(table)) return false;
  return readFileSync(table, 'utf8')
    .split('\n')
    .some((line) => line.trim().split(/\s+/)[INODE_COLUMN] === inode);
}
