import { askSerial, waitForSerial } from './client.ts';
import type { Prefixes } from './generate-prefixes.ts';
import { makeTarget, type SluiceServer, startEmptySluice } from './servers.ts';

export const BLOCK_ZONE = 'block.bench.main.sluice.internal.';
export const ALLOW_ZONE = 'allow.bench.main.sluice.internal.';

/** Sluice with an IP policy; `zone` is the one of what is blocked. */
export interface IpPolicyServer extends SluiceServer {
  /** From the call that brings what is blocked until its zone is served with it. */
  readonly buildMs: number;
}

/** Starts Sluice with an IP policy of next to nothing, and then fills it through the admin API. */
export async function startIpPolicy(
  folder: string,
  { blocked, allowed }: Prefixes,
): Promise<IpPolicyServer> {
  const empty = await startEmptySluice(folder);
  const { api } = empty;
  // An IP policy takes no target that holds no address.
  const block = await makeTarget(api, 'blocked', [blocked[0]]);
  const allow = await makeTarget(api, 'allowed', [allowed[0]]);
  await api('PATCH', `/targets/${allow}`, { supportsAllow: true });
  const { policy } = await api<{ policy: { id: number } }>('POST', '/policies', {
    name: 'bench',
    type: 'ip',
    attachments: [
      { kind: 'target', id: block, action: { kind: 'block' } },
      { kind: 'target', id: allow, action: { kind: 'allow' } },
    ],
  });
  await api('POST', '/devices', {
    name: 'bench',
    type: 'ip',
    access: 'source',
    sources: ['127.0.0.0/8'],
    policyId: policy.id,
  });
  const server = { ...empty, zone: BLOCK_ZONE, targetId: block };
  await fill(server, allow, allowed);
  const serial = await askSerial(server, server.zone);
  const start = performance.now();
  await fill(server, block, blocked);
  await waitForSerial(server, server.zone, serial);
  return { ...server, buildMs: performance.now() - start };
}

async function fill({ api }: SluiceServer, target: number, lines: readonly string[]) {
  await api('PUT', `/targets/${target}/indicators?confirm=true`, lines.join('\n'));
}
