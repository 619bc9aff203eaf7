import type { PackedIndicators } from '../indicators/indicator.ts';

/** A column of a table: the name that its header has, or its number from 1. */
export type Column = string | number;

/** A table of values with one record a line, and in which columns what stands. */
export interface CsvFormat {
  readonly kind: 'csv';
  readonly separator: 'auto' | ',' | ';' | 'tab' | '|';
  /** Whether the first record (or the last comment before it) names the columns. */
  readonly header: boolean;
  readonly value: Column;
  /** Says what the value is, in the words of the format: `domain`, `ip`, `hostname`, `ip:port` … */
  readonly kindColumn?: Column;
  readonly expires?: Column;
  readonly confidence?: Column;
  readonly comment?: Column;
  /** What lines of comment begin with; `#` when absent. */
  readonly commentPrefix?: string;
}

/**
 * `json` is one document, `jsonl` one to a line. Paths are names with dots between them; `[*]` is
 * every item of a list or every value of an object: `data.items[*]`.
 */
export interface JsonFormat {
  readonly kind: 'json' | 'jsonl';
  /** To the list; empty is the document itself. */
  readonly path: string;
  /** From an item of the list; empty is the item itself. */
  readonly value: string;
  readonly expires?: string;
  readonly confidence?: string;
  readonly comment?: string;
}

/** The last resort: each match's groups `value` and, if they are there, `expires`, `confidence`, `comment`. */
export interface RegexFormat {
  readonly kind: 'regex';
  readonly pattern: string;
}

export interface PlainFormat {
  readonly kind:
    | 'auto'
    | 'lines'
    | 'hosts'
    | 'adblock'
    | 'wildcard'
    | 'dnsmasq'
    | 'unbound'
    | 'rpz'
    | 'misp-json'
    | 'misp-csv'
    | 'stix';
}

/** How a feed is written; `auto` looks at the first lines. */
export type FeedFormat = PlainFormat | CsvFormat | JsonFormat | RegexFormat;

/** A format that lines can be read in. */
export type KnownFormat =
  | Exclude<FeedFormat, PlainFormat>
  | { readonly kind: Exclude<PlainFormat['kind'], 'auto'> };

/** What a source said about one of its indicators. */
export interface IndicatorNote {
  /** As `formatIndicator` writes it. */
  readonly indicator: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | null;
  /** 0 to 100. */
  readonly confidence: number | null;
  /** Empty when there is none. */
  readonly comment: string;
}

/** What a source's octets came to. Ready to cross threads (buffers are transferred). */
export interface FeedContent {
  /** Distinct and normalised, in the order of first appearance; of many, in that of a zone. */
  readonly packed: PackedIndicators;
  readonly detected: FeedFormat['kind'];
  /**
   * Why the octets as a whole could not be read in this format, or null. Then there is nothing in
   * `packed` that may be published: what was there before stays.
   */
  readonly unreadable: { readonly reason: string; readonly text: string } | null;
  /** Lines with empty ones and comments; entries where the format has no lines. */
  readonly lines: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly rejectedByReason: Readonly<Record<string, number>>;
  /** The first hundred; `line` counts as `lines` does, from 1. */
  readonly rejections: readonly {
    readonly line: number;
    readonly text: string;
    readonly reason: string;
  }[];
  /** Well understood and not meant to be blocked: expired, revoked, not for detection, a hash of a file. */
  readonly leftOut: number;
  readonly leftOutByReason: Readonly<Record<string, number>>;
  /** Lines that take something out (adblock @@, RPZ passthru). */
  readonly exceptions: number;
  /**
   * Indicators that the content takes back (STIX: revoked) and does not name otherwise. They matter
   * only when the content is added to what an earlier one brought.
   */
  readonly withdrawn: PackedIndicators;
  /** Indicators that cover something that must never be blocked: left out and reported. */
  readonly guarded: number;
  /** The first hundred. */
  readonly guardedShown: readonly { readonly text: string; readonly covers: string }[];
  readonly belowConfidence: number;
  /** Only of indicators about which something was said; at most 200,000. */
  readonly notes: readonly IndicatorNote[];
  readonly notesLeftOut: number;
}

/** What must never be blocked, besides the root, top-level domains and special ranges of addresses. */
export interface GuardOptions {
  /** In lower case without final dot. */
  readonly names: readonly string[];
  /** Addresses and prefixes. */
  readonly prefixes: readonly string[];
  /** Asked with a name in lower case without final dot. */
  readonly isPublicSuffix: (name: string) => boolean;
}

export interface ParseFeedOptions {
  /** Octets of the longest owner that fits below every origin that may hold it. */
  readonly ownerOctetsMax: number;
  readonly linesMax: number;
  readonly indicatorsMax: number;
  /** Leaves out what says of itself that it is less certain, from 0 to 100. */
  readonly confidenceMin: number | null;
  readonly nowMs: number;
  /** Random bits for the search for duplicates. */
  readonly hashSeed: number;
  readonly guard: GuardOptions;
  /** Names mean themselves and all below ('name') or only themselves ('host') where the format does not say. */
  readonly namesAs: 'name' | 'host';
  /** For all matches of a regular expression in one content together. */
  readonly regexTimeMs: number;
  /**
   * Called every few thousand steps and every few dozen kilobytes. What it throws ends the reading,
   * and comes through.
   */
  readonly checkpoint?: () => void;
}
