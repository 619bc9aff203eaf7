import type { Catalogue } from '../indicators/catalogue.ts';
import { EMPTY_IDS, type IdSet, subtractIds, unionIds, visitIds } from '../indicators/id-set.ts';
import { endsWith, NSDNAME_LABEL } from '../indicators/owner-of.ts';
import type { Device, PolicyId } from '../policy/model.ts';
import { ModelError } from '../policy/model-error.ts';
import type { ActionNumber } from '../policy/verdicts.ts';
import { belowAction, type RpzContent, type RpzState, selfAction } from '../zone/rpz-content.ts';
import type { RpzRendering } from '../zone/rpz-rendering.ts';
import type { PlannedChange } from './publisher.ts';
import type { PublishedState } from './state.ts';

/**
 * Unbound 1.17.1 crashes on a TCP-only action with a name server trigger (interop.md), so no change
 * may lead a device of that profile to such a pair, whatever brings it about: an edit, a rollback, a
 * right that is granted, a source. Asked of every change when it is planned; what is looked at are
 * the owners that come to be TCP-only in what such a device is served. Throws ModelError.
 */
export function refuseUnboundCrash(planned: PlannedChange): void {
  const { before, after } = planned;
  if (planned.changes.length === 0 && before.model.devices === after.model.devices) return;
  const checked = new Set<string>();
  for (const device of after.model.devices.values()) {
    const { policyId } = device;
    if (device.profile !== 'unbound' || policyId === null) continue;
    const known = wasServed(device, before);
    const key = `${policyId} ${known}`;
    if (checked.has(key)) continue;
    checked.add(key);
    if (hasNewPair(planned, policyId, known)) throw refusal(device, policyId, after);
  }
}

/** Whether the device had the content of its policy before, as an Unbound: then only what is new counts. */
function wasServed({ id, policyId }: Device, { model }: PublishedState): boolean {
  const device = model.devices.get(id);
  return device?.profile === 'unbound' && device.policyId === policyId;
}

interface Served {
  readonly content: RpzContent;
  readonly rendering: RpzRendering;
}

/** What all zones that carry a policy hold: what its members say, or what it was rolled back to. */
function servedBy({ compiled, pins }: PublishedState, policyId: PolicyId): Served | null {
  const policy = compiled.get(policyId);
  if (policy?.kind !== 'dns') return null;
  const pinned = pins.get(policyId)?.get('rpz');
  const content = pinned instanceof Map ? (pinned as RpzContent) : policy.content;
  return { content, rendering: policy.rendering };
}

function hasNewPair(
  { before, after, catalogue }: PlannedChange,
  policyId: PolicyId,
  known: boolean,
): boolean {
  const served = servedBy(after, policyId);
  if (served === null) return false;
  const had = known ? servedBy(before, policyId) : null;
  if (served.content === had?.content) return false;
  const fresh = subtractIds(tcpOnlyOwners(served), had === null ? EMPTY_IDS : tcpOnlyOwners(had));
  return someOwner(fresh, (id) => isNameServerTrigger(catalogue, id));
}

/** The owners at which anything is TCP-only. */
function tcpOnlyOwners({ content, rendering }: Served): IdSet {
  const isTcpOnly = (number: ActionNumber): boolean =>
    number > 0 && rendering.rendered(number).action.kind === 'tcp-only';
  const says = (state: RpzState): boolean =>
    isTcpOnly(selfAction(state)) || isTcpOnly(belowAction(state));
  let owners = EMPTY_IDS;
  for (const [state, ids] of content) if (says(state)) owners = unionIds(owners, ids);
  return owners;
}

function isNameServerTrigger(catalogue: Catalogue, id: number): boolean {
  if (catalogue.isPrefix(id)) return catalogue.prefixKind(id) === 'nsip';
  return endsWith(catalogue.owner(id), NSDNAME_LABEL);
}

function someOwner(ids: IdSet, test: (id: number) => boolean): boolean {
  let found = false;
  visitIds(ids, (id) => {
    found = test(id);
    return !found;
  });
  return found;
}

function refusal(device: Device, policyId: PolicyId, { model }: PublishedState): ModelError {
  const policy = model.policies.get(policyId)?.name ?? policyId;
  const rule =
    `Device "${device.name}" runs Unbound and pulls policy "${policy}", which would act TCP-only ` +
    'by nsname or nsip; Unbound crashes on that. Use another action or another device profile.';
  return new ModelError('tcp-only-unbound', { field: 'action', value: 'tcp-only', rule });
}
