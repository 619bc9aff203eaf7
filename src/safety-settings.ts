import { networkInterfaces } from 'node:os';
import { getPublicSuffix } from 'tldts';
import { type Config, loadNeverBlock } from './config/index.ts';
import { ownGuard } from './feeds/index.ts';
import type { SafetySettings } from './publish/index.ts';
import type { ListenAddress } from './server/index.ts';

/** What a change is measured against. */
export function safetySettings(config: Config, zonesDirectory: string): SafetySettings {
  const { names, prefixes } = loadNeverBlock(zonesDirectory);
  return {
    neverBlockNames: names,
    neverBlockPrefixes: prefixes,
    isPublicSuffix: (name) => getPublicSuffix(name, SUFFIX_OPTIONS) === name,
    ownPrefixes: config.changes.ownNetworks,
    ...safetyLimits(config),
  };
}

type SafetyLimits = Omit<
  SafetySettings,
  'neverBlockNames' | 'neverBlockPrefixes' | 'isPublicSuffix' | 'ownPrefixes'
>;

/** Those that are taken while the server runs. In the settings 0 stands for never. */
export function safetyLimits({ changes }: Config): SafetyLimits {
  const share = (percent: number): number | null => (percent === 0 ? null : percent / 100);
  return {
    recordsMin: changes.recordsMin,
    warnShrinkShare: changes.warnShrinkPercent / 100,
    warnGrowShare: changes.warnGrowPercent / 100,
    holdShrinkShare: share(changes.holdShrinkPercent),
    holdGrowShare: share(changes.holdGrowPercent),
    holdNeverBlock: changes.holdNeverBlock,
  };
}

/** What no feed may have blocked: the list for everybody, and what this server is known by. */
export function feedGuard(
  { root, soa, changes }: Config,
  { neverBlockNames, neverBlockPrefixes }: SafetySettings,
  listen: readonly ListenAddress[],
): ReturnType<typeof ownGuard> {
  return ownGuard({
    everybody: { names: neverBlockNames, prefixes: neverBlockPrefixes },
    ownNames: [soa.ns, root],
    listen: listen.map(({ address }) => address),
    interfaces: networkInterfaces(),
    ownNetworks: changes.ownNetworks,
  });
}

/**
 * Suffixes of registries only: many private ones are single hosts, such as those of
 * *.compute-1.amazonaws.com; the shared ones are named in zones/never-block.txt. Owners are names
 * already, and to look for a URL in each would treble the time.
 */
const SUFFIX_OPTIONS = {
  allowPrivateDomains: false,
  extractHostname: false,
  validateHostname: false,
};
