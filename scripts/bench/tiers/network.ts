import { execFileSync } from 'node:child_process';

/** A bridge in a namespace of its own: no interface of the machine is part of it. */
const HUB = 'sluice-hub';
const BRIDGE = 'bridge0';
const PREFIX = '10.99.0';
export const HUB_ADDRESS = `${PREFIX}.1`;
/** Addresses of tiers begin here. */
const FIRST_TIER = 11;

export function tierAddress(index: number): string {
  return `${PREFIX}.${FIRST_TIER + index}`;
}

/** Arguments of `ip` that run a command where Sluice is. */
export function inHub(...command: readonly string[]): string[] {
  return ['netns', 'exec', HUB, ...command];
}

/** Arguments of `ip` that run a command where a tier is. */
export function inTier(index: number, ...command: readonly string[]): string[] {
  return ['netns', 'exec', tierName(index), ...command];
}

/** A star of namespaces with the hub in the middle. */
export function makeNetwork(tiers: number): void {
  removeNetwork(tiers);
  ip('netns', 'add', HUB);
  ip('-n', HUB, 'link', 'add', BRIDGE, 'type', 'bridge');
  ip('-n', HUB, 'address', 'add', `${HUB_ADDRESS}/24`, 'dev', BRIDGE);
  for (const device of ['lo', BRIDGE]) ip('-n', HUB, 'link', 'set', device, 'up');
  for (let index = 0; index < tiers; index++) {
    const name = tierName(index);
    const port = `port${index}`;
    ip('netns', 'add', name);
    ip('-n', HUB, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    ip('-n', HUB, 'link', 'set', port, 'master', BRIDGE, 'up');
    ip('-n', name, 'address', 'add', `${tierAddress(index)}/24`, 'dev', 'eth0');
    for (const device of ['lo', 'eth0']) ip('-n', name, 'link', 'set', device, 'up');
  }
}

/** What a run that was killed left behind goes, too. */
export function removeNetwork(tiers: number): void {
  const names = [HUB, ...Array.from({ length: tiers }, (_, index) => tierName(index))];
  for (const name of names) {
    try {
      ip('netns', 'delete', name);
    } catch {
      // There was none.
    }
  }
}

function tierName(index: number): string {
  return `sluice-tier${index}`;
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
