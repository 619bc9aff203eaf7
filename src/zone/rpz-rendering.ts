import { RRTYPE } from '../dns/registry.ts';
import type { Action } from '../policy/action.ts';
import type { ActionNumber } from '../policy/verdicts.ts';
import type { ActionTable, NumberedAction } from './action-table.ts';
import { recordTail } from './records.ts';

const POINTER_OCTETS = 2;

/** The records that an action stands for, at whatever owner. */
export interface RenderedAction {
  readonly action: Action;
  readonly records: readonly { readonly type: number; readonly rdata: Uint8Array }[];
  /** The same records ready for a transfer. */
  readonly tails: readonly Uint8Array[];
  readonly tailOctets: number;
  /** The tails as they are copied by the million. */
  readonly wideTails: readonly RecordTail[];
  /** Whether its record is a CNAME whose target takes more than a compression pointer. */
  readonly hasTarget: boolean;
}

/** What follows the owner of a record, in words of four octets, little-endian. */
export interface RecordTail {
  readonly octets: number;
  readonly words: Int32Array;
  /** The last four octets, which may lie across the last words. */
  readonly lastWord: number;
}

function recordTailWords(tail: Uint8Array): RecordTail {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const words = Int32Array.from({ length: tail.length >>> 2 }, (_, word) =>
    view.getInt32(word * 4, true),
  );
  return { octets: tail.length, words, lastWord: view.getInt32(tail.length - 4, true) };
}

/** The actions of a table as records with one TTL. */
export interface RpzRendering {
  readonly ttl: number;
  numberOf(action: Action): ActionNumber;
  rendered(action: ActionNumber): RenderedAction;
}

/** Renders each action once, when it is first asked for. */
export function createRpzRendering(ttl: number, table: ActionTable): RpzRendering {
  const rendered: { readonly of: NumberedAction; readonly as: RenderedAction }[] = [];
  return {
    ttl,
    numberOf: table.numberOf,
    rendered(number) {
      const numbered = table.action(number);
      const known = rendered[number];
      // A number that was taken back may stand for another action now.
      if (known?.of === numbered) return known.as;
      const { action, records } = numbered;
      const tails = records.map(({ type, rdata }) => recordTail(type, ttl, rdata));
      const tailOctets = tails.reduce((octets, tail) => octets + tail.length, 0);
      const wideTails = tails.map(recordTailWords);
      const hasTarget = records.some(
        ({ type, rdata }) => type === RRTYPE.CNAME && rdata.length > POINTER_OCTETS,
      );
      const fresh = { action, records, tails, tailOctets, wideTails, hasTarget };
      rendered[number] = { of: numbered, as: fresh };
      return fresh;
    },
  };
}

/** One rendering per TTL, so that zones with the same TTL share what is made ready. */
export function createRenderings(table: ActionTable): (ttl: number) => RpzRendering {
  const byTtl = new Map<number, RpzRendering>();
  return (ttl) => {
    const known = byTtl.get(ttl);
    if (known !== undefined) return known;
    const fresh = createRpzRendering(ttl, table);
    byTtl.set(ttl, fresh);
    return fresh;
  };
}
