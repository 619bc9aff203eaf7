import { randomBytes } from 'node:crypto';
import { getPublicSuffix } from 'tldts';
import type { Config } from './config/index.ts';
import { type EditSettings, memberKinds } from './publish/edits/index.ts';
import type { RunningPublisher } from './publish/index.ts';
import { allowedAlgorithms } from './tsig-algorithms.ts';
import { OWNER_OCTETS_MAX } from './zone-settings.ts';

/** What the settings say of edits: of new entities, and of what may be entered. */
export function editSettings(config: Config, publisher: RunningPublisher): EditSettings {
  return {
    root: `${config.root.toLowerCase().replace(/\.$/, '')}.`,
    ownerOctetsMax: OWNER_OCTETS_MAX,
    isPublicSuffix: (name) => getPublicSuffix(name, SUFFIX_OPTIONS) === name,
    memberKinds: (members) => memberKinds(publisher.catalogue, members),
    zones: () => publisher.state.zones,
    keyAlgorithms: allowedAlgorithms(config),
    randomBytes: (octets) => Uint8Array.from(randomBytes(octets)),
    // By then every consumer has asked for the old catalog, were it by itself.
    handoverAnnouncedMs: config.soa.refreshSeconds * 1000,
    ...policySettings(config),
  };
}

/** Those that are taken while the server runs. */
export function policySettings({
  policies,
}: Config): Pick<EditSettings, 'policyTtl' | 'renameGraceMs'> {
  return { policyTtl: policies.ttlSeconds, renameGraceMs: policies.renameGraceMs };
}

/** Names come as such, and not as parts of a URL. */
const SUFFIX_OPTIONS = { allowPrivateDomains: true, extractHostname: false };
