import type { Policy } from '../../policy/model.ts';
import { sideOf, type ZoneSnapshot } from '../../zone/snapshot.ts';
import { findSerial, momentOf, serialAtMoment } from '../zone-reading.ts';
import { findWritablePolicy } from './attachments.ts';
import { accountOf, type Edit, findPolicy, refuse, viewerOf } from './edit.ts';
import { openFields } from './fields.ts';

export const ROLLBACK_ZONES = ['rpz', 'block', 'allow'] as const;

/**
 * Lets the zones of a policy go back to what they held at a retained serial, and stay there whatever
 * happens to its members, until it is released. Input: `serial`, and of an IP policy optionally
 * `zone`, the side that the serial is of; the other side goes to what it held at that moment.
 */
export function rollBackPolicy(edit: Edit, id: number, input: unknown): Policy {
  const policy = findWritablePolicy(edit, id);
  const fields = openFields(input);
  const serial = fields.integer('serial', { min: 0, max: 0xffffffff });
  const otherwise = policy.type === 'dns' ? 'rpz' : 'block';
  const side = fields.choice('zone', ROLLBACK_ZONES, { otherwise });
  const zones = servedZones(edit, policy);
  const chosen = zones.find(([, { body }]) => sideOf(body) === side);
  if (zones.length > 0 && chosen === undefined) {
    const sides = zones.map(([, { body }]) => sideOf(body));
    fields.refuse('invalid-value', 'zone', `The policy has the zones ${sides.join(', ')}.`);
  }
  fields.close();
  if (chosen === undefined) {
    const rule = 'The policy is not served yet, so it has no earlier content.';
    throw refuse('serial-unknown', 'serial', serial, rule);
  }
  const serials = serialsOfAll(zones, chosen, serial);
  refuseLostContent(edit, policy, chosen[1], serial);
  edit.draft.rollBack(policy.id, serials);
  return findPolicy(viewerOf(edit), id);
}

/** Ends a rollback: the zones follow the members again. */
export function releasePolicy(edit: Edit, id: number): Policy {
  const policy = findWritablePolicy(edit, id);
  if (policy.rollback === null) {
    throw refuse('not-found', 'policy id', id, `Policy "${policy.name}" is not rolled back.`);
  }
  edit.draft.rollBack(policy.id, null);
  return findPolicy(viewerOf(edit), id);
}

/** What the account has no right to any more does not come back with an earlier content. */
function refuseLostContent(
  edit: Edit,
  { accountId, rollback }: Policy,
  zone: ZoneSnapshot,
  given: number,
): void {
  const { rightsLostAt } = accountOf(edit);
  const isOwn = accountId === edit.accountId && rightsLostAt > 0;
  if (!isOwn || (given === zone.serial && rollback === null)) return;
  if (momentOf(zone, findSerial(zone, '', given, 'serial')) >= rightsLostAt) return;
  const when = new Date(rightsLostAt).toISOString();
  const rule = `Contents from before ${when} are not served again: the account lost the right to a partner target or a shared list then.`;
  throw refuse('not-allowed', 'serial', given, rule);
}

type ServedZone = readonly [origin: string, zone: ZoneSnapshot];

/** The zones of the policy under its present name. */
function servedZones(edit: Edit, policy: Policy): readonly ServedZone[] {
  const zones = edit.settings.zones?.() ?? new Map<string, ZoneSnapshot>();
  return [...zones].filter(
    ([, { policyId, deviceId, former }]) => policyId === policy.id && deviceId === null && !former,
  );
}

function serialsOfAll(
  zones: readonly ServedZone[],
  [origin, zone]: ServedZone,
  given: number,
): Record<string, number> {
  const serial = findSerial(zone, origin, given, 'serial');
  const moment = momentOf(zone, serial);
  return Object.fromEntries(
    zones.map(([otherOrigin, other]) => {
      if (other === zone) return [origin, serial];
      const then = serialAtMoment(other, moment);
      if (!then.isCertain) {
        const rule = `The history of ${otherOrigin} does not reach back to when ${origin} had this serial.`;
        throw refuse('serial-unknown', 'serial', given, rule);
      }
      return [otherOrigin, then.serial];
    }),
  );
}
