import { rejectionSentence } from '../../indicators/rejection.ts';

/**
 * What a feed says about lines that it does not take, besides the reasons that an indicator itself
 * has (indicators/rejection.ts). Codes are stable; they are counted in statistics.
 */
const SENTENCES = {
  // Rejected.
  'line-too-long': 'The line is longer than any that a feed has.',
  'no-address': 'A line of a hosts file begins with an address.',
  'adblock-modifier': 'The rule has modifiers ($…) and means less than the whole name.',
  'adblock-cosmetic': 'The rule hides parts of pages, which DNS does not see.',
  'adblock-path': 'The rule matches a part of a URL or a pattern, not a name.',
  'not-a-block': 'This answers with other data or sends elsewhere; it does not block.',
  'other-directive': 'This setting of the program says nothing about a name to block.',
  'bad-syntax': 'The line does not follow the syntax of its format.',
  'out-of-zone': 'The owner does not lie in the zone.',
  'other-record': 'A record of this type is no rule.',
  'no-value': 'The record has nothing where the value stands.',
  'bad-json': 'This is not JSON.',
  'bad-quotes': 'A quotation mark is not closed, or the record is longer than any that a feed has.',
  'stix-pattern':
    'Patterns other than of addresses and names that stand alone (or with OR) cannot be a list.',
  'stix-language': 'The pattern is written in another language than STIX.',
  'no-match': 'The regular expression does not match.',
  // Left out.
  expired: 'Its validity has ended.',
  'not-yet-valid': 'Its validity has not begun.',
  revoked: 'Its source has taken it back.',
  'not-to-ids': 'Its source says that it is not meant for detection.',
  'other-type': 'It is neither a name nor an address.',
  // Unreadable as a whole.
  markup: 'This is a web page, not a feed.',
  encoding: 'This is text in UTF-16; feeds are UTF-8.',
  'too-many-lines': 'There are more lines than are accepted.',
  'unknown-format': 'The format cannot be told from the first lines; it has to be set.',
  'needs-mapping': 'Where in this JSON the values stand has to be set.',
  'no-list': 'There is no list at the given path.',
  'no-column': 'There is no such column.',
  'too-large': 'The document is larger than can be read in one piece.',
  'bad-pattern': 'The regular expression is not valid or has no group named "value".',
  'regex-time': 'The regular expression took longer than it may.',
} as const;

/** Why a line was rejected or left out, or a whole content could not be read. */
export type FeedReason = keyof typeof SENTENCES;

/** The sentence that people read for a code of a feed's statistics. */
export function feedReasonSentence(reason: string): string {
  return Object.hasOwn(SENTENCES, reason)
    ? SENTENCES[reason as FeedReason]
    : rejectionSentence(reason);
}
