import { join } from 'node:path';
import {
  createTsigKey,
  type Endpoint,
  makePeerFolder,
  type Named,
  startNamed,
  type TsigKey,
  writeKeyFile,
} from '../interop/peers/index.ts';
import { type Firewall, makeFirewall } from './firewall.ts';
import { type IpZone, ipZoneText } from './ip-zone-text.ts';
import { type PullResult, pull } from './run-pull.ts';

export const BLOCK = 'block.policy.account.sluice.internal';
export const ALLOW = 'allow.policy.account.sluice.internal';

/** A BIND with the pair of zones of one policy, and a firewall to fill from it. */
export interface PullStage {
  readonly named: Named;
  readonly firewall: Firewall;
  readonly key: TsigKey;
  readonly keyFile: string;
  readonly stateFolder: string;
  /** Serves a zone anew, and returns when that is what BIND answers. */
  serve(zone: Omit<IpZone, 'zone' | 'side'> & { readonly zone?: string }): Promise<void>;
  /** The script's arguments, with what a case adds; a later option overrides an earlier one. */
  args(server: Endpoint, ...more: string[]): string[];
  pull(...more: string[]): Promise<PullResult>;
  end(): Promise<void>;
}

export async function startPullStage(): Promise<PullStage> {
  const folder = await makePeerFolder('pull');
  const key = createTsigKey('firewall.account');
  const keyFile = join(folder, 'firewall.key');
  await writeKeyFile(keyFile, key);
  const firstZone = (zone: string, side: 'block' | 'allow') => ({
    zone,
    text: ipZoneText({ serial: 1, zone, side }),
    key,
    incremental: false,
  });
  const named = await startNamed({
    primaries: [firstZone(BLOCK, 'block'), firstZone(ALLOW, 'allow')],
  });
  const firewall = await makeFirewall();
  const stateFolder = join(folder, 'state');
  const args = (server: Endpoint, ...more: string[]) => [
    ...['--server', server.address, '--port', String(server.port), '--block', BLOCK],
    ...['--state-dir', stateFolder, '--wait', '0', '--timeout', '1', '--verbose', ...more],
  ];
  return {
    named,
    firewall,
    key,
    keyFile,
    stateFolder,
    args,
    serve: async ({ zone = BLOCK, ...content }) => {
      const side = zone === ALLOW ? 'allow' : 'block';
      await named.replaceZone(zone, ipZoneText({ ...content, zone, side }));
    },
    pull: (...more) => pull(args(named, ...more), { tools: firewall.folder }),
    end: async () => {
      await firewall.remove();
      await named.stop();
    },
  };
}
