/** What a source says about an indicator, read from the forms that sources write it in. */
export interface FeedFacts {
  /** Milliseconds since 1970. */
  readonly expiresAt: number | null;
  /** 0 to 100. */
  readonly confidence: number | null;
  readonly comment: string;
}

export const NO_FACTS: FeedFacts = { expiresAt: null, confidence: null, comment: '' };

/** What fits the comment of an entry of a list. */
const COMMENT_LENGTH_MAX = 500;
/** The last day that JavaScript's dates and four digits of a year can both say. */
const TIME_MAX_MS = Date.UTC(9999, 11, 31);
/** Numbers from here on are milliseconds: as seconds they would be beyond the year 5000. */
const MILLISECONDS_FROM = 1e11;

/**
 * A moment as ISO 8601 (a blank instead of the `T`, no time and no zone are allowed; without a zone
 * it is UTC), or as seconds or milliseconds since 1970; null for everything else.
 */
export function readMoment(value: unknown): number | null {
  const text = textOf(value).trim();
  if (/^\d{9,14}(\.\d{1,9})?$/.test(text)) {
    const number = Number(text);
    return withinTime(number >= MILLISECONDS_FROM ? number : number * 1000);
  }
  const parts = MOMENT.exec(text);
  if (parts === null) return null;
  const [, day, time = '00:00', zone = 'Z'] = parts;
  // "UTC" and +0000 are common, and no form that Date knows.
  const offset = /^(z|utc|gmt)$/i.test(zone)
    ? 'Z'
    : zone.replace(/^([+-]\d{2}):?(\d{2})$/, '$1:$2');
  return withinTime(Date.parse(`${day.replaceAll('/', '-')}T${time.replace(',', '.')}${offset}`));
}

const MOMENT =
  /^(\d{4}[-/]\d{2}[-/]\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?) ?([Zz]|UTC|GMT|[+-]\d{2}:?\d{2})?)?$/;

function withinTime(ms: number): number | null {
  return ms >= 0 && ms <= TIME_MAX_MS ? Math.floor(ms) : null;
}

/**
 * How certain a source is, from 0 to 100: a number, one between 0 and 1 with a decimal point as a
 * share of 100, or a word of the scale of STIX 2.1 (appendix A, none/low/medium/high).
 */
export function readConfidence(value: unknown): number | null {
  const text = textOf(value).trim().toLowerCase();
  if (Object.hasOwn(CONFIDENCE_WORDS, text)) return CONFIDENCE_WORDS[text];
  const parts = /^(\d{1,3}(?:\.\d{1,9})?) ?(%?)$/.exec(text);
  if (parts === null) return null;
  const number = Number(parts[1]);
  const isShare = number <= 1 && parts[1].includes('.') && parts[2] === '';
  const confidence = Math.round(isShare ? number * 100 : number);
  return confidence <= 100 ? confidence : null;
}

const CONFIDENCE_WORDS: Readonly<Record<string, number>> = {
  none: 0,
  low: 15,
  medium: 50,
  med: 50,
  high: 85,
};

/** One line of text, cut. */
export function readComment(value: unknown): string {
  const text = textOf(value).slice(0, COMMENT_LENGTH_MAX * 2);
  return text.replace(CONTROLS, ' ').trim().slice(0, COMMENT_LENGTH_MAX).toWellFormed();
}

/** Control characters, and the two that end lines for some programs. */
const CONTROLS = /[\p{Cc}\u2028\u2029]+/gu;

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
