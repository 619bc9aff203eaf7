import { fileURLToPath } from 'node:url';
import { getPublicSuffix } from 'tldts';
import { loadNeverBlock } from '../../src/config/index.ts';
import type { SafetySettings } from '../../src/publish/safety/warnings.ts';

const neverBlock = loadNeverBlock(fileURLToPath(new URL('../../zones', import.meta.url)));

const SUFFIX_OPTIONS = {
  allowPrivateDomains: false,
  extractHostname: false,
  validateHostname: false,
};

/** What a server with the default settings measures changes against. */
export function safetySettings(overrides: Partial<SafetySettings> = {}): SafetySettings {
  return {
    neverBlockNames: neverBlock.names,
    neverBlockPrefixes: neverBlock.prefixes,
    isPublicSuffix: (name) => getPublicSuffix(name, SUFFIX_OPTIONS) === name,
    ownPrefixes: [],
    recordsMin: 1000,
    warnShrinkShare: 0.2,
    warnGrowShare: 1,
    holdShrinkShare: 0.5,
    holdGrowShare: 4,
    holdNeverBlock: true,
    ...overrides,
  };
}
