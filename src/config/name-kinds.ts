import type { ValueKind } from './shape.ts';
import { accepted, refused } from './value-kinds.ts';

/** Kinds of values that are, or become part of, domain names. */

/** Every zone name below the root must still have room for the longest trigger (interop.md, rule 3). */
const ROOT_WIRE_OCTETS_MAX = 52;
const NAME_WIRE_OCTETS_MAX = 255; // RFC 1035 section 2.3.4

/** Names that resolvers or hosts answer by themselves, so that a zone there is never asked for. */
const SPECIAL_USE: ReadonlyMap<string, string> = new Map([
  ['local', '.local belongs to multicast DNS (RFC 6762 section 3)'],
  ['test', 'resolvers answer .test by themselves (RFC 6761 section 6.2)'],
  ['localhost', 'resolvers answer .localhost by themselves (RFC 6761 section 6.3)'],
  ['invalid', 'resolvers answer .invalid by themselves (RFC 6761 section 6.4)'],
  ['onion', 'resolvers refuse .onion by themselves (RFC 7686 section 2)'],
]);

/** Letters, digits and inner hyphens, at most 63 octets: RFC 1123 section 2.1. */
const HOST_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** The name that all zones are below. Loaded in lower case and without a final dot. */
export const rootName: ValueKind<string> = {
  rule: `a root for zone names (letters, digits and hyphens; at most ${ROOT_WIRE_OCTETS_MAX} octets on the wire; not below a special-use name)`,
  unitSuffix: '',
  parse: (text) => {
    const name = text.toLowerCase().replace(/\.$/, '');
    const labels = name.split('.');
    const wrong = labels.find((label) => !HOST_LABEL.test(label));
    if (wrong !== undefined) return refused(`its label "${wrong}" is not a host name label`);
    const octets = wireOctets(labels);
    if (octets > ROOT_WIRE_OCTETS_MAX) return refused(`it has ${octets} octets`);
    const special = SPECIAL_USE.get(labels[labels.length - 1]);
    return special === undefined ? accepted(name) : refused(special);
  },
};

/** One label of at most 16 octets that becomes part of zone or key names. Loaded in lower case. */
export function shortLabel(noun: string): ValueKind<string> {
  return {
    rule: `${noun} (1-16 letters, digits and inner hyphens)`,
    unitSuffix: '',
    parse: (text) => {
      const label = text.toLowerCase();
      return label.length <= 16 && HOST_LABEL.test(label) ? accepted(label) : refused();
    },
  };
}

/** Loaded in lower case. */
export const policyName: ValueKind<string> = {
  rule: 'a policy name (1-8 letters and digits)',
  unitSuffix: '',
  parse: (text) => (/^[a-z0-9]{1,8}$/i.test(text) ? accepted(text.toLowerCase()) : refused()),
};

/** Stands for the root at the end of a name that is below it. */
const ROOT_MARK = /(?<=^|\.)<root>(?=\.?$)/;

/** An absolute name with or without its final dot; `<root>` as its last part stands for the root. */
export const absoluteName: ValueKind<string> = {
  rule: 'a domain name',
  unitSuffix: '',
  parse: (text) => {
    const labels = splitLabels(text.replace(ROOT_MARK, 'root'));
    const wellFormed = labels.every((label) => /^[A-Za-z0-9_-]{1,63}$/.test(label));
    return wellFormed && wireOctets(labels) <= NAME_WIRE_OCTETS_MAX ? accepted(text) : refused();
  },
};

/** The name with the root in the place of its mark, in lower case and with its final dot. */
export function withRoot(name: string, root: string): string {
  const whole = name.replace(ROOT_MARK, root).toLowerCase();
  return whole.endsWith('.') ? whole : `${whole}.`;
}

/** Whether a name in presentation form fits into 255 octets. */
export function fitsOnTheWire(name: string): boolean {
  return wireOctets(splitLabels(name)) <= NAME_WIRE_OCTETS_MAX;
}

/** A dot of a mailbox's local part is written `\.` (RFC 1035 section 8); it counts as a letter here. */
function splitLabels(name: string): string[] {
  return name.replace(/\.$/, '').replaceAll('\\.', '-').split('.');
}

function wireOctets(labels: readonly string[]): number {
  return labels.reduce((octets, label) => octets + 1 + label.length, 1);
}
