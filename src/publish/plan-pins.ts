import { serial } from '../dns/serial.ts';
import type { Account, Model, Policy, PolicyId } from '../policy/model.ts';
import { ModelError } from '../policy/model-error.ts';
import { bodyAt } from '../zone/content-at.ts';
import type { PolicySide } from '../zone/snapshot.ts';
import type { Rollbacks } from './model-draft.ts';
import type { Pin, PolicyContent, PublishedState } from './state.ts';
import { sidesOf, type ZoneDefaults, zoneOrigin } from './zone-names.ts';

/** The contents that policies are rolled back to after an edit. Throws ModelError for a serial that is not retained. */
export function planPins(
  state: PublishedState,
  { model, rollbacks }: { readonly model: Model; readonly rollbacks: Rollbacks },
  defaults: ZoneDefaults,
): ReadonlyMap<PolicyId, Pin> {
  if (rollbacks.size === 0 && state.pins.size === 0) return state.pins;
  const pins = new Map([...state.pins].filter(([id]) => model.policies.has(id)));
  for (const [id, serials] of rollbacks) {
    const policy = state.model.policies.get(id);
    if (serials === null || policy === undefined) pins.delete(id);
    else pins.set(id, pinOf(state, policy, accountOf(policy, model), serials, defaults));
  }
  return pins;
}

function pinOf(
  state: PublishedState,
  policy: Policy,
  account: Account,
  serials: Readonly<Record<string, number>>,
  defaults: ZoneDefaults,
): Pin {
  const pin = new Map<PolicySide, PolicyContent>();
  for (const side of sidesOf(policy)) {
    const origin = zoneOrigin(policy, side, account, defaults);
    const zone = state.zones.get(origin);
    if (zone === undefined) throw new Error(`policy ${policy.id} has no zone ${origin}`);
    const wanted = serials[origin] ?? zone.serial;
    const body = bodyAt(zone, serial(wanted));
    if (body === null) {
      const first = zone.revisions[0]?.fromSerial ?? zone.serial;
      const rule = `Zone ${origin} has its content from serial ${first} to ${zone.serial}.`;
      throw new ModelError('serial-unknown', { field: 'serial', value: wanted, rule });
    }
    if (body.kind === 'catalog') throw new Error(`${origin} is no zone of a policy`);
    pin.set(side, body.content);
  }
  return pin;
}

function accountOf(policy: Policy, model: Model): Account {
  const account = model.accounts.get(policy.accountId);
  if (account === undefined) throw new Error(`policy ${policy.id} belongs to no account`);
  return account;
}
