import { formatRdata } from '../../dns/format-rdata.ts';
import { formatName, NameError, parseName } from '../../dns/name.ts';
import { parseRdata, RdataError } from '../../dns/parse-rdata.ts';
import { encodeRdata } from '../../dns/rdata.ts';
import { RRTYPE } from '../../dns/registry.ts';
import type { LocalRecord } from '../../policy/action.ts';

export const LOCAL_RECORD_TYPES = ['A', 'AAAA', 'TXT', 'MX', 'CNAME'] as const;

/** A text in its one normal form, or the rule that it breaks. */
export type Checked = { readonly text: string } | { readonly rule: string };

/**
 * Brings the content of a local record into the one presentation form that stands for its octets,
 * so that equal records are equal texts. Names without a final dot are absolute all the same.
 */
export function normaliseLocalData(type: LocalRecord['type'], data: string): Checked {
  if (type === 'CNAME') return normaliseRedirect(data);
  try {
    return { text: formatRdata(RRTYPE[type], encodeRdata(parseRdata(RRTYPE[type], data))) };
  } catch (error) {
    if (error instanceof RdataError) return { rule: DATA_RULES[type] };
    throw error;
  }
}

/** What normalised records take in a message, each with a pointer for its owner. */
export function localDataOctets(records: readonly LocalRecord[]): number {
  return records.reduce(
    (octets, { type, data }) =>
      octets + RECORD_FIXED_OCTETS + encodeRdata(parseRdata(RRTYPE[type], data)).length,
    0,
  );
}

/** Owner as a pointer, type, class, TTL and length. */
const RECORD_FIXED_OCTETS = 12;

const DATA_RULES: Readonly<Record<Exclude<LocalRecord['type'], 'CNAME'>, string>> = {
  A: 'The data of an A record is an IPv4 address.',
  AAAA: 'The data of an AAAA record is an IPv6 address.',
  TXT: 'The data of a TXT record is one or more strings of at most 255 octets each, in quotes where they hold spaces.',
  MX: 'The data of an MX record is a preference (0 to 65535) and a name.',
};

/**
 * A redirect's target: an absolute name or a wildcard, which RPZ replaces by the query name. A
 * final dot is added when it is missing, so that no zone's suffix ever lands on it. The root and
 * `*.` would mean NXDOMAIN and NODATA, and names in `rpz-…` other actions (interop.md rule 5).
 */
export function normaliseRedirect(text: string): Checked {
  const lower = text.toLowerCase();
  const below = lower.startsWith('*.') ? lower.slice(2) : lower;
  if (below === '' || below === '.') {
    return { rule: 'The target is a name below the root: "." and "*." are actions of their own.' };
  }
  if (!/^[a-z0-9_.-]+$/.test(below)) return { rule: NAME_RULE };
  try {
    const name = formatName(parseName(lower));
    // A last label that begins with rpz- would be read as another action, or as a trigger.
    return /(^|\.)rpz-[^.]*\.$/.test(name) ? { rule: RPZ_RULE } : { text: name };
  } catch (error) {
    if (error instanceof NameError) return { rule: NAME_RULE };
    throw error;
  }
}

const NAME_RULE =
  'The target is a name, or "*." and a name, of labels of letters, digits, "-" and "_", at most 63 to a label and 255 octets in all.';
const RPZ_RULE = 'The last label does not begin with "rpz-": such names are actions of their own.';
