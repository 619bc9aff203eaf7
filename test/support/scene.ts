import type { Action } from '../../src/policy/action.ts';
import type {
  ActionChoice,
  DeviceId,
  KeyId,
  ListId,
  PolicyId,
  TargetAttributes,
  TargetId,
} from '../../src/policy/model.ts';
import {
  changeEntries,
  changeIndicators,
  createDevice,
  createKey,
  createList,
  createPolicy,
  createTarget,
  type Edit,
} from '../../src/publish/edits/index.ts';
import { ACCOUNT_LABEL, CLIENT_ADDRESS, ROOT } from './house.ts';

/** Short forms of the edits that tests begin with. All go through the rules of publish/edits. */

export function addTarget(
  edit: Edit,
  name: string,
  indicators: readonly string[],
  attributes: Partial<TargetAttributes> = {},
): TargetId {
  const { id } = createTarget(edit, { name, attributes });
  setIndicators(edit, id, indicators);
  return id;
}

export function setIndicators(edit: Edit, id: number, indicators: readonly string[]): void {
  if (indicators.length === 0) return;
  const options = { confirmBroad: true, confirmRoot: true, rejected: 'refuse' } as const;
  changeIndicators(edit, id, { replace: indicators, ...options });
}

export function addList(
  edit: Edit,
  name: string,
  entries: readonly string[],
  action: 'block' | 'allow' = 'block',
): ListId {
  const { id } = createList(edit, { name, action });
  changeEntries(edit, id, { add: entries, confirmBroad: true });
  return id;
}

/** What a policy is made of: targets and lists by id, with their actions. */
export interface PolicyParts {
  readonly targets?: readonly (readonly [TargetId, ActionChoice])[];
  readonly lists?: readonly (readonly [ListId, ActionChoice])[];
  readonly hostsMax?: number;
  readonly ttl?: number;
}

/** A policy and a device that reads it from `source`. */
export function addPolicy(
  edit: Edit,
  name: string,
  type: 'dns' | 'ip',
  { targets = [], lists = [], source = CLIENT_ADDRESS, ...more }: PolicyParts & { source?: string },
): PolicyId {
  const attachments = [
    ...targets.map(([id, action]) => ({ kind: 'target', id, action })),
    ...lists.map(([id, action]) => ({ kind: 'list', id, action })),
  ];
  const { id } = createPolicy(edit, { name, type, attachments, ...more });
  addReader(edit, `d-${name}`, type, id, source);
  return id;
}

export function addReader(
  edit: Edit,
  name: string,
  type: 'dns' | 'ip',
  policyId: PolicyId,
  source: string,
): DeviceId {
  return createDevice(edit, { name, type, access: 'source', sources: [source], policyId }).id;
}

/** A device that is known by a key of its own. */
export function addKeyed(
  edit: Edit,
  name: string,
  type: 'dns' | 'ip',
  policyId: PolicyId,
  algorithm = 'hmac-sha256',
): KeyId {
  const { id } = createDevice(edit, { name, type, access: 'key', policyId });
  return createKey(edit, id, { algorithm }).id;
}

/** `rpz.corp.acme.sluice.internal.` and the like. */
export const zoneName = (side: 'rpz' | 'block' | 'allow', policy: string): string =>
  `${side}.${policy}.${ACCOUNT_LABEL}.${ROOT}`;

export const NXDOMAIN: Action = { kind: 'nxdomain' };
export const NODATA: Action = { kind: 'nodata' };
export const ALLOW: Action = { kind: 'allow' };
export const BLOCK: Action = { kind: 'block' };
