import { resolveMembers } from '../../policy/members.ts';
import type { Device, Model, Policy } from '../../policy/model.ts';
import { type Edit, type EditSettings, refuse } from './edit.ts';

/**
 * Unbound 1.17.1 crashes on a TCP-only action with a name server trigger (interop.md), so no policy
 * that a device of that profile pulls may come to hold the pair. Called at the end of every edit
 * that could bring it about; only policies of such devices are looked at.
 */
export function refuseTcpOnlyForUnbound(edit: Edit): void {
  if (edit.checksTcpOnlyLater === true) return;
  const { model } = edit.draft;
  const checked = new Set<number>();
  for (const device of model.devices.values()) {
    if (device.profile !== 'unbound' || device.policyId === null) continue;
    if (checked.has(device.policyId)) continue;
    checked.add(device.policyId);
    const policy = model.policies.get(device.policyId);
    if (policy !== undefined) refusePolicyOf(device, policy, edit);
  }
}

/** Names of the members of a policy that pair TCP-only with name server triggers. */
export function tcpOnlyNameServerMembers(
  policy: Policy,
  model: Model,
  memberKinds: EditSettings['memberKinds'],
): readonly string[] {
  if (!policy.attachments.some(({ action }) => action.kind === 'tcp-only')) return [];
  return resolveMembers(policy, model)
    .filter((member) => member.action.kind === 'tcp-only')
    .filter((member) => {
      const kinds = memberKinds(member.sets);
      return kinds.has('nsname') || kinds.has('nsip');
    })
    .map((member) => member.source.name);
}

function refusePolicyOf(device: Device, policy: Policy, edit: Edit): void {
  const names = tcpOnlyNameServerMembers(policy, edit.draft.model, edit.settings.memberKinds);
  if (names.length === 0) return;
  throw refuse(
    'tcp-only-unbound',
    'action',
    'tcp-only',
    `Device "${device.name}" runs Unbound and pulls policy "${policy.name}", where ` +
      `${names.map((name) => `"${name}"`).join(', ')} would act TCP-only by nsname or nsip; ` +
      'Unbound crashes on that. Use another action or another device profile.',
  );
}
