import { parseName } from '../dns/name.ts';
import { parseRdata } from '../dns/parse-rdata.ts';
import { encodeRdata } from '../dns/rdata.ts';
import { RRTYPE } from '../dns/registry.ts';
import { type Action, actionKey } from '../policy/action.ts';
import { ModelError } from '../policy/model-error.ts';
import type { ActionNumber } from '../policy/verdicts.ts';
import { octetKey } from './records.ts';

/** A state has 16 bits for a number, and 0 stands for no action. */
const ACTIONS_MAX = 65_535;

/** The records that an action stands for, at whatever owner and with whatever TTL. */
export interface NumberedAction {
  readonly action: Action;
  readonly records: readonly { readonly type: number; readonly rdata: Uint8Array }[];
}

/**
 * Numbers the actions of all RPZ zones of a server, so that the contents of any two can be compared:
 * a device that is given another policy gets the difference of the two. Numbers are never given
 * anew, so that old revisions keep their meaning; the table is stored.
 */
export interface ActionTable {
  /** How many numbers were given: they are 1 to this. */
  readonly count: number;
  /** Throws a ModelError when there are no numbers left. */
  numberOf(action: Action): ActionNumber;
  action(number: ActionNumber): NumberedAction;
  /** Takes back the numbers above this one: for what was tried and not kept. */
  forgetAfter(count: number): void;
}

export function createActionTable(known: readonly Action[]): ActionTable {
  const actions: NumberedAction[] = [];
  const numbers = new Map<string, ActionNumber>();
  const numbersByRecords = new Map<string, ActionNumber>();
  const numberOf = (action: Action): ActionNumber => {
    const key = actionKey(action);
    const number = numbers.get(key);
    if (number !== undefined) return number;
    const records = recordsOfAction(action);
    // Two ways of saying the same records are one action: to go from one to the other changes nothing.
    const recordsKey = records
      .map(({ type, rdata }) => `${type} ${octetKey(rdata)}`)
      .sort()
      .join('\n');
    const same = numbersByRecords.get(recordsKey) ?? ((actions.length + 1) as ActionNumber);
    if (same > actions.length) {
      if (same > ACTIONS_MAX) throw tooMany(action);
      actions.push({ action, records });
    }
    numbersByRecords.set(recordsKey, same);
    numbers.set(key, same);
    return same;
  };
  for (const action of known) numberOf(action);
  return {
    get count() {
      return actions.length;
    },
    numberOf,
    action(number) {
      const found = actions[number - 1];
      if (found === undefined) throw new Error(`no action has number ${number}`);
      return found;
    },
    forgetAfter(count) {
      if (actions.length <= count) return;
      actions.length = count;
      for (const known of [numbers, numbersByRecords]) {
        for (const [key, number] of known) if (number > count) known.delete(key);
      }
    },
  };
}

function tooMany(action: Action): ModelError {
  const rule = `All policies that ever were have at most ${ACTIONS_MAX} different actions.`;
  return new ModelError('actions-full', { field: 'action', value: action, rule });
}

/** draft-vixie-dnsop-dns-rpz-00 section 3: what each policy action is written as. */
const CNAME_TARGETS = {
  nxdomain: '.',
  nodata: '*.',
  allow: 'rpz-passthru.',
  drop: 'rpz-drop.',
  'tcp-only': 'rpz-tcp-only.',
} as const;

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
