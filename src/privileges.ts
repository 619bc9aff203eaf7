import { execFileSync } from 'node:child_process';
import type { Config } from './config/index.ts';
import { StartError } from './start-error.ts';

/** Whom the process becomes when the ports are bound. */
export interface Identity {
  /** As the settings name it. */
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

const ROOT = 0;

/**
 * The user and group that the settings name; null when they name none, or when the process is run as
 * them already. Throws StartError when the user or the group does not exist, and when the process is
 * not root and so cannot become another. Looks only: nothing has changed afterwards.
 */
export function findIdentity({ user, group }: Config['process']): Identity | null {
  if (user === null) return null;
  const uid = lookUp('process.user', user, ['id', '-u', '--', user]);
  const gid =
    group === null
      ? lookUp('process.user', user, ['id', '-g', '--', user])
      : lookUp('process.group', group, ['getent', 'group', '--', group]);
  if (uid === ROOT) {
    throw new StartError('process.user', user, 'it must be an unprivileged user, or none');
  }
  if (process.getuid?.() === uid && process.getgid?.() === gid) return null;
  if (process.geteuid?.() !== ROOT) {
    const rule = `only root can become another user, and this process runs as ${process.geteuid?.()}: start it as root, or leave process.user and process.group out`;
    throw new StartError('process.user', user, rule);
  }
  return { user, uid, gid };
}

/**
 * Becomes the user, for good: supplementary groups first, then the group, then the user, because each
 * step needs the rights that the last one gives up. Throws StartError unless nothing of root is left.
 */
export function dropPrivileges({ user, uid, gid }: Identity): void {
  try {
    (process as unknown as Initgroups).initgroups(uid, gid);
    process.setgid!(gid);
    process.setuid!(uid);
  } catch (error) {
    throw new StartError('process.user', user, `the process could not become it: ${error}`);
  }
  const groups = process.getgroups!();
  const isDropped =
    process.getuid!() === uid &&
    process.geteuid!() === uid &&
    process.getgid!() === gid &&
    process.getegid!() === gid &&
    (gid === ROOT || !groups.includes(ROOT)) &&
    !canBecomeRoot();
  if (!isDropped) throw new StartError('process.user', user, 'the process kept rights of root');
}

/** Node has it wherever it has setuid; its types do not know it. */
interface Initgroups {
  initgroups(user: number, extraGroup: number): void;
}

/** A saved user id or a capability would allow it; the system has no call that tells them here. */
function canBecomeRoot(): boolean {
  try {
    process.seteuid!(ROOT);
    return true;
  } catch {
    return false;
  }
}

/**
 * The number that the system's databases have for a name. Node has no call for it, and the files in
 * /etc do not know the users of a directory service.
 */
function lookUp(setting: string, name: string, [program, ...args]: [string, ...string[]]): number {
  try {
    const output = execFileSync(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    // `id` prints the number alone, `getent` a line of /etc/group with the number in third place.
    const text = output.toString().trim();
    const number = Number(text.split(':')[2] ?? text);
    if (Number.isInteger(number)) return number;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new StartError(setting, name, `it cannot be looked up, since ${program} is missing`);
    }
  }
  throw new StartError(setting, name, 'there is no such one on this system');
}
