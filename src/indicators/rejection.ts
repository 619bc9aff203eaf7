/**
 * Why a text is no indicator: the one table of codes, each with the sentence that people read.
 * Codes are stable; they are counted in feeds' statistics and returned by the API.
 */
const SENTENCES = {
  empty: 'There is no value.',
  'too-long': 'The text is longer than any indicator.',
  'unknown-kind': 'The word before the colon is no kind of indicator.',
  'kind-mismatch': 'Only a wildcard may begin with "*.".',
  url: 'This is a URL or carries a port or a path; only its host name can be listed.',
  'at-sign': 'This is a mail address; only the domain behind the @ can be listed.',
  'several-words': 'A blank stands inside; a line holds one value and nothing else.',
  'bad-character': 'A name has letters, digits, hyphens, underscores and dots only.',
  'empty-label': 'A label between two dots is empty.',
  'label-too-long': 'A label is longer than 63 octets.',
  'name-too-long': 'The name is longer than 255 octets.',
  'owner-too-long': 'The rule does not fit below the name of the zone in 255 octets.',
  'wildcard-position': 'The * stands alone as the leftmost label or not at all.',
  'address-as-name':
    'A name is no address, nor ends in a label of digits and hyphens only or in a hexadecimal number.',
  'trigger-label': 'A last label that begins with "rpz-" would turn the name into another trigger.',
  'escape-not-allowed': 'Escapes are allowed in user-defined lists only.',
  'bad-escape': 'An escape is \\. for a dot or \\DDD for an octet, up to \\255.',
  idn: 'The name has no form in ASCII (UTS 46), or mixes escapes with other characters than ASCII.',
  root: 'This covers every name there is, which needs a confirmation of its own as "*".',
  'public-suffix':
    'This is a top-level domain or public suffix, with names of many owners below it: please confirm.',
  'bad-address': 'This is no IPv4 or IPv6 address.',
  'bad-prefix-length': 'A prefix length is a plain number up to 32 (IPv4) or 128 (IPv6).',
  'bad-range': 'A range goes from one address up to another of the same family.',
  'prefix-zero': 'A prefix of length 0 is every address there is and is never accepted.',
  'prefix-too-short':
    'A prefix shorter than /8 (IPv4) or /16 (IPv6) is very broad: please confirm.',
  'bad-count': 'Behind the address and a tab stands a plain number.',
  'too-many': 'The input holds more indicators than are accepted at once.',
} as const;

export type RejectionReason = keyof typeof SENTENCES;

export const REJECTION_REASONS = Object.keys(SENTENCES) as readonly RejectionReason[];

/** Reasons that go away when the request is repeated with `confirmBroad`. */
export const CONFIRMABLE_REASONS: readonly RejectionReason[] = [
  'public-suffix',
  'prefix-too-short',
];

export interface Rejection {
  readonly ok: false;
  readonly reason: RejectionReason;
}

export function reject(reason: RejectionReason): Rejection {
  return { ok: false, reason };
}

/** The sentence of a code; a text that is no code comes back as it is. */
export function rejectionSentence(reason: string): string {
  return Object.hasOwn(SENTENCES, reason) ? SENTENCES[reason as RejectionReason] : reason;
}
