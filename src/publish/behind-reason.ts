import { isNewerSerial, type Serial } from '../dns/serial.ts';
import type { Device } from '../policy/model.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import type { Refusal } from './refusal-book.ts';
import { askedAt } from './status-rows.ts';
import type { DeviceZoneStatus } from './store-port.ts';

/** Why a device is behind, as far as it can be told from here; the most telling comes first. */
export const BEHIND_REASONS = [
  'newer-serial',
  'tsig-badkey',
  'tsig-badsig',
  'tsig-badtime',
  'tsig-badtrunc',
  'tsig-other',
  'refused',
  'not-authoritative',
  'transfer-cut',
  'not-transferred',
  'not-acknowledged',
  'never-asked',
  'not-asked',
] as const;
export type BehindReason = (typeof BEHIND_REASONS)[number];

export interface Behind {
  readonly reason: BehindReason;
  /** For people: what was seen, in one sentence. */
  readonly detail: string;
}

export interface BehindEvidence {
  readonly device: Device;
  readonly origin: string;
  readonly zone: ZoneSnapshot;
  readonly row: DeviceZoneStatus | undefined;
  /** Of the device, the newest first. */
  readonly refusals: readonly Refusal[];
  /** Since when it is behind (Unix ms): what was before says nothing. */
  readonly since: number;
}

/** The likely reason, from what happened since the device is behind. */
export function reasonOf(evidence: BehindEvidence): Behind {
  return (
    newerSerial(evidence) ??
    refusal(evidence) ??
    transferCut(evidence) ??
    notTransferred(evidence) ??
    notAcknowledged(evidence) ??
    notAsked(evidence)
  );
}

function newerSerial({ row, zone }: BehindEvidence): Behind | null {
  const held = row?.heldSerial ?? null;
  if (held === null || !isNewerSerial(held as Serial, zone.serial)) return null;
  const detail = `It holds serial ${held}, which is above the one that is served, so it takes nothing until that has passed it.`;
  return { reason: 'newer-serial', detail };
}

/**
 * A refusal since it is behind, of this zone. One of another name counts when the device did not ask
 * for this zone meanwhile: it may be misspelt, or signed with the wrong key for all of them.
 */
function refusal({ row, origin, refusals, since }: BehindEvidence): Behind | null {
  const asked = row === undefined ? 0 : askedAt(row);
  const proven = row?.heldAt ?? 0;
  const found = refusals.find(({ lastAt, name, reason }) => {
    if (lastAt < since || lastAt < proven) return false;
    return isWithin(name, origin) || (reason !== 'prohibited' && asked < since);
  });
  return found === undefined ? null : describeRefusal(found, origin);
}

/** Who reads by ordinary queries asks for names in the zone. */
function isWithin(name: string | null, origin: string): boolean {
  return name !== null && (name === origin || name.endsWith(`.${origin}`));
}

function describeRefusal(found: Refusal, origin: string): Behind {
  const { reason, name, address, tsig, keyName } = found;
  const times = found.count > 1 ? `, ${found.count} times` : '';
  if (tsig !== null) {
    const code = TSIG_REASONS[tsig.error] ?? 'tsig-other';
    const why = TSIG_SENTENCES[tsig.error] ?? `${tsig.error}.`;
    return { reason: code, detail: `Signed by ${tsig.keyName} from ${address}${times}: ${why}` };
  }
  const asked = `It asked for ${name ?? origin} from ${address}${times}`;
  if (reason === 'not-authoritative') {
    return { reason, detail: `${asked}, and there is no such zone.` };
  }
  const shown = keyName === null ? 'without a key' : `with the key ${keyName}`;
  return { reason: 'refused', detail: `${asked} ${shown}, which does not entitle it to the zone.` };
}

const TSIG_REASONS: Readonly<Record<string, BehindReason>> = {
  BADKEY: 'tsig-badkey',
  BADSIG: 'tsig-badsig',
  BADTIME: 'tsig-badtime',
  BADTRUNC: 'tsig-badtrunc',
};
// RFC 8945 section 5.2: what each error says.
const TSIG_SENTENCES: Readonly<Record<string, string>> = {
  BADKEY: 'BADKEY, no key of this name and algorithm is known here.',
  BADSIG: 'BADSIG, the secret is another one.',
  BADTIME: 'BADTIME, its clock and ours differ too much.',
  BADTRUNC: 'BADTRUNC, the signature is cut too short.',
};

function transferCut({ row, since }: BehindEvidence): Behind | null {
  if (row?.cutAt == null || row.cutAt < since) return null;
  const detail = `Its transfer of serial ${row.cutSerial} to ${row.cutAddress} ended before all of it was sent.`;
  return { reason: 'transfer-cut', detail };
}

function notTransferred({ row, since }: BehindEvidence): Behind | null {
  if (row?.polledAt == null || row.polledAt < since) return null;
  const detail = `It asked for the serial from ${row.polledAddress}, and then for no transfer.`;
  return { reason: 'not-transferred', detail };
}

function notAcknowledged({ device, row, since }: BehindEvidence): Behind | null {
  if (device.notify.length === 0) return null;
  if (row?.notifiedAt != null && row.notifiedAt >= since) return null;
  const hasProblem = row?.notifyProblem != null && (row.notifyProblemAt ?? 0) >= since;
  const came = hasProblem
    ? `${row.notifyProblemAddress}: ${row.notifyProblem}.`
    : 'nothing is known of an answer.';
  return { reason: 'not-acknowledged', detail: `It acknowledged no NOTIFY; ${came}` };
}

function notAsked({ row }: BehindEvidence): Behind {
  if (row === undefined || askedAt(row) === 0) {
    return { reason: 'never-asked', detail: 'It has never asked for the zone.' };
  }
  return { reason: 'not-asked', detail: 'It has not asked for the zone since.' };
}
