import { parseName } from '../dns/name.ts';
import { parseRdata } from '../dns/parse-rdata.ts';
import { encodeRdata } from '../dns/rdata.ts';
import { RRTYPE } from '../dns/registry.ts';
import { type Action, actionKey } from '../policy/action.ts';
import type { ActionNumber } from '../policy/verdicts.ts';
import { octetKey, recordTail } from './records.ts';

/** The records that an action stands for, at whatever owner. */
export interface RenderedAction {
  readonly action: Action;
  readonly records: readonly { readonly type: number; readonly rdata: Uint8Array }[];
  /** The same records ready for a transfer. */
  readonly tails: readonly Uint8Array[];
  readonly tailOctets: number;
}

/**
 * Numbers the actions of one policy and renders them. Numbers are never given anew, so that old
 * revisions keep their meaning; the list of actions is stored with the zone.
 */
export interface RpzRendering {
  readonly ttl: number;
  numberOf(action: Action): ActionNumber;
  rendered(action: ActionNumber): RenderedAction;
  actions(): readonly Action[];
}

export function createRpzRendering(ttl: number, known: readonly Action[]): RpzRendering {
  const rendered: RenderedAction[] = [];
  const numbers = new Map<string, ActionNumber>();
  const numbersByRecords = new Map<string, ActionNumber>();
  const numberOf = (action: Action): ActionNumber => {
    const key = actionKey(action);
    const number = numbers.get(key);
    if (number !== undefined) return number;
    const fresh = renderAction(action, ttl);
    // Two ways of saying the same records are one action: to go from one to the other changes nothing.
    const records = fresh.tails.map(octetKey).sort().join('\n');
    const same = numbersByRecords.get(records) ?? ((rendered.length + 1) as ActionNumber);
    if (same > rendered.length) rendered.push(fresh);
    numbersByRecords.set(records, same);
    numbers.set(key, same);
    return same;
  };
  for (const action of known) numberOf(action);
  return {
    ttl,
    numberOf,
    rendered: (number) => {
      const found = rendered[number - 1];
      if (found === undefined) throw new Error(`no action has number ${number}`);
      return found;
    },
    actions: () => rendered.map(({ action }) => action),
  };
}

/** draft-vixie-dnsop-dns-rpz-00 section 3: what each policy action is written as. */
const CNAME_TARGETS = {
  nxdomain: '.',
  nodata: '*.',
  allow: 'rpz-passthru.',
  drop: 'rpz-drop.',
  'tcp-only': 'rpz-tcp-only.',
} as const;

function renderAction(action: Action, ttl: number): RenderedAction {
  const records = recordsOfAction(action);
  const tails = records.map(({ type, rdata }) => recordTail(type, ttl, rdata));
  const tailOctets = tails.reduce((octets, tail) => octets + tail.length, 0);
  return { action, records, tails, tailOctets };
}

function recordsOfAction(action: Action): { type: number; rdata: Uint8Array }[] {
  switch (action.kind) {
    case 'redirect':
      return [cname(action.to)];
    case 'local-data':
      return action.records.map(({ type, data }) => ({
        type: RRTYPE[type],
        rdata: encodeRdata(parseRdata(RRTYPE[type], data)),
      }));
    case 'block':
      throw new Error('block is an action of IP policies and has no records');
    default:
      return [cname(CNAME_TARGETS[action.kind])];
  }
}

function cname(target: string): { type: number; rdata: Uint8Array } {
  return { type: RRTYPE.CNAME, rdata: encodeRdata({ type: 'CNAME', target: parseName(target) }) };
}
