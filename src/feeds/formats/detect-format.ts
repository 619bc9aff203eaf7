import { parseIndicator } from '../../indicators/parse-indicator.ts';
import type { KnownFormat } from '../feed-content.ts';
import { likelySeparator } from './csv.ts';
import type { FeedReason } from './feed-reasons.ts';
import { headLines } from './head-lines.ts';
import { isAddress } from './hosts.ts';

export type Detection =
  | { readonly ok: true; readonly format: KnownFormat }
  | { readonly ok: false; readonly reason: FeedReason };

/**
 * Tells how a feed is written from its first few hundred lines that are not empty. The form that
 * most of them have is the one; lines that several forms could have count for the one that says
 * more. An answer that no line speaks for is refused rather than guessed.
 */
export function detectFormat(octets: Uint8Array): Detection {
  if (isUtf16(octets)) return { ok: false, reason: 'encoding' };
  const lines = headLines(octets);
  const [first = ''] = lines;
  if (/^<(?:!doctype|html|head|body|\?xml)/i.test(first)) return { ok: false, reason: 'markup' };
  // `[Adblock Plus 2.0]` is no list of JSON.
  if (/^(?:\{|\[(?!adblock|ublock|uBO))/i.test(first) && !isSectionHeader(first)) {
    return detectJson(lines);
  }
  if (isMispHeader(first)) return found({ kind: 'misp-csv' });
  return detectByLines(lines);
}

function found(format: KnownFormat): Detection {
  return { ok: true, format };
}

/** A byte order mark of either order, or a zero beside a letter. */
function isUtf16([first, second]: Uint8Array): boolean {
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  return (first === 0) !== (second === 0) && first !== undefined && second !== undefined;
}

function isSectionHeader(line: string): boolean {
  return /^\[[A-Za-z][A-Za-z0-9 .+-]*\]$/.test(line);
}

/** The start of a document is enough to know STIX and MISP; one list of texts needs no mapping. */
function detectJson(lines: readonly string[]): Detection {
  const head = lines.join('\n');
  const isStix =
    /"type"\s{0,9}:\s{0,9}"(?:bundle|indicator)"/.test(head) ||
    /"spec_version"|"pattern_type"/.test(head);
  if (isStix) return found({ kind: 'stix' });
  const isMisp = /"(?:Attribute|Event)"\s{0,9}:/.test(head) || /"to_ids"/.test(head);
  if (isMisp) return found({ kind: 'misp-json' });
  if (/^\[\s*(?:"|\])/.test(head)) return found({ kind: 'json', path: '', value: '' });
  return { ok: false, reason: 'needs-mapping' };
}

/** The header that MISP writes: uuid,event_id,category,type,value,comment,to_ids,date … */
function isMispHeader(line: string): boolean {
  const names = line
    .toLowerCase()
    .split(',')
    .map((name) => name.replaceAll('"', ''));
  return ['uuid', 'category', 'type', 'value', 'to_ids'].every((name) => names.includes(name));
}

type LineForm =
  | 'lines'
  | 'hosts'
  | 'adblock'
  | 'wildcard'
  | 'dnsmasq'
  | 'unbound'
  | 'rpz'
  /** Nothing that is only one of them. */
  | 'other';

function detectByLines(lines: readonly string[]): Detection {
  const isContent = (line: string): boolean => !COMMENT.test(line) || isCosmetic(line);
  const content = lines.filter(isContent).slice(0, CONTENT_LINES_MAX);
  if (content.length === 0) return emptyFeed(lines);
  const counts = new Map<LineForm, number>();
  for (const line of content) {
    const form = formOf(line);
    counts.set(form, (counts.get(form) ?? 0) + 1);
  }
  const of = (form: LineForm): number => counts.get(form) ?? 0;
  // A list is one of wildcards as long as no bare name stands in it.
  const isOfWildcards = of('wildcard') * 2 > content.length && of('lines') === 0;
  if (isOfWildcards) return found({ kind: 'wildcard' });
  const plain = of('lines') + of('wildcard');
  const forms = [
    ...FORMS.map((kind) => ({ kind, count: of(kind) })),
    { kind: 'lines' as const, count: plain },
  ];
  const best = forms.reduce((a, b) => (b.count > a.count ? b : a));
  if (best.count * 2 > content.length) return found({ kind: best.kind });
  // A table has lines of no other form.
  const table = of('other') > plain ? detectTable(content) : null;
  if (table !== null) return table;
  return best.count * 3 >= content.length
    ? found({ kind: best.kind })
    : { ok: false, reason: 'unknown-format' };
}

const CONTENT_LINES_MAX = 400;
const COMMENT = /^(?:[#;!]|\[[^\]]*\]$)/;
const FORMS = ['hosts', 'adblock', 'dnsmasq', 'unbound', 'rpz'] as const;

/** Comments alone are a list that has nothing in it today. */
function emptyFeed(lines: readonly string[]): Detection {
  const isAdblock = lines.some((line) => /^(?:!|\[adblock)/i.test(line));
  return found({ kind: isAdblock ? 'adblock' : 'lines' });
}

function isCosmetic(line: string): boolean {
  return /^#[@?$%]*#/.test(line);
}

function formOf(line: string): LineForm {
  if (/^(?:\|\||@@)/.test(line) || /#[@?$%]*#|\$\$/.test(line)) return 'adblock';
  if (/^(?:address|local|server)=\//.test(line)) return 'dnsmasq';
  if (/^local-(?:zone|data):|^server:$/.test(line)) return 'unbound';
  if (/^\$(?:ORIGIN|TTL)\b/i.test(line) || isZoneRecord(line)) return 'rpz';
  const words = line
    .replace(/[ \t][#;].*$/, '')
    .trim()
    .split(/[ \t]+/, 3);
  if (words.length >= 2 && isHostsPair(words[0], words[1])) return 'hosts';
  if (words.length > 2 || (words.length === 2 && !/^\d+$/.test(words[1]))) return 'other';
  if (/^\*\.[^*]+$/.test(words[0])) return 'wildcard';
  return isIndicator(words[0]) ? 'lines' : 'other';
}

/** `192.0.2.1 DE` is no line of a hosts file, `0.0.0.0 intranet` is one. */
function isHostsPair(address: string, name: string): boolean {
  if (!isAddress(address) || !/[a-z]/i.test(name)) return false;
  return NOWHERE.test(address) || name.includes('.');
}

const NOWHERE = /^(?:0|0\.0\.0\.0|127\.0\.0\.1|::1?)$/;

function isZoneRecord(line: string): boolean {
  return /[ \t](?:CNAME|SOA|NS)[ \t]+[^ \t]/i.test(line);
}

function isIndicator(text: string): boolean {
  return parseIndicator(text, ANY_INDICATOR).ok;
}

const ANY_INDICATOR = {
  ownerOctetsMax: 255,
  confirmBroad: true,
  confirmRoot: true,
  isPublicSuffix: () => false,
};

/** A table whose every line has the separator, with the first column that holds indicators. */
function detectTable(content: readonly string[]): Detection | null {
  const separator = likelySeparator(content.slice(1));
  if (separator === null) return null;
  const rows = content.map((line) =>
    line.split(separator).map((field) => field.replaceAll('"', '').trim()),
  );
  const [first, ...rest] = rows;
  const columns = Math.min(...rest.map((row) => row.length));
  for (let column = 0; column < columns; column++) {
    const hits = rest.filter((row) => isIndicator(row[column]) && /[.:]/.test(row[column])).length;
    if (hits * 5 < rest.length * 4) continue;
    const header = !isIndicator(first[column] ?? '') || !/[.:]/.test(first[column] ?? '');
    const shown = separator === '\t' ? 'tab' : (separator as ',' | ';' | '|');
    return found({ kind: 'csv', separator: shown, header, value: column + 1 });
  }
  return null;
}
