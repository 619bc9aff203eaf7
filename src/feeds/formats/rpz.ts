import type { FeedContent, ParseFeedOptions } from '../feed-content.ts';
import { createFeedDraft, type FeedDraft } from './feed-draft.ts';
import { readComment } from './feed-facts.ts';
import type { FeedReason } from './feed-reasons.ts';
import { commentFacts } from './note-book.ts';
import { rpzIndicatorText } from './rpz-owner.ts';
import { visitZoneEntries, type ZoneEntry } from './zone-entries.ts';

/**
 * A response policy zone as a zone file. Every trigger counts as a plain block, whatever its action
 * is: local data too, since what the source would answer is not what is answered here. PASSTHRU
 * takes exactly its own trigger out. TCP-ONLY blocks nothing and is refused.
 *
 * Zone files are often published without saying what the zone is called; then owners that are
 * relative are relative to it, and absolute ones cannot be understood.
 */
export function readRpz(octets: Uint8Array, options: ParseFeedOptions): FeedContent {
  const draft = createFeedDraft(octets, options, 'name');
  const zone: ZonePlace = { apex: null, firstOrigin: null, origin: null, owner: null };
  const lines = visitZoneEntries(
    octets,
    (entry) => readEntry(draft, zone, entry),
    (place, fault) => draft.reject(place.line, place, fault),
  );
  return draft.finish({ detected: 'rpz', lines, mergesForms: true });
}

/** Names in lower case without final dot; null while they are not known. */
interface ZonePlace {
  /** As the SOA record has it. */
  apex: string | null;
  /** Stands for the apex where there is no SOA record. */
  firstOrigin: string | null;
  origin: string | null;
  /** Of the record before. */
  owner: string | null;
}

function readEntry(draft: FeedDraft, zone: ZonePlace, entry: ZoneEntry): void {
  const [first] = entry.words;
  if (first.startsWith('$') && entry.hasOwner) {
    readControl(draft, zone, entry);
    return;
  }
  const owner = entry.hasOwner ? first : zone.owner;
  if (owner === null) {
    draft.reject(entry.line, entry, 'bad-syntax');
    return;
  }
  zone.owner = owner;
  const record = readRecord(entry);
  if (record === null) {
    draft.reject(entry.line, entry, 'bad-syntax');
    return;
  }
  if (record.type === 'SOA') zone.apex ??= absolute(zone, owner);
  const relative = relativeTo(zone, owner);
  if (relative === null) {
    draft.reject(entry.line, entry, 'out-of-zone');
    return;
  }
  // The zone's own records are no rules.
  if (relative === '') return;
  readRule(draft, entry, { owner: relative, ...record });
}

function readControl(draft: FeedDraft, zone: ZonePlace, { words, line, ...span }: ZoneEntry): void {
  const word = words[0].toUpperCase();
  if (word === '$TTL') return;
  if (word !== '$ORIGIN') {
    draft.reject(line, span, 'other-directive');
    return;
  }
  if (words.length < 2) {
    draft.reject(line, span, 'bad-syntax');
    return;
  }
  const origin = absolute(zone, words[1]);
  if (origin === null) {
    draft.reject(line, span, 'out-of-zone');
    return;
  }
  zone.firstOrigin ??= origin;
  zone.origin = origin;
}

interface ZoneRecord {
  readonly type: string;
  readonly data: readonly string[];
}

/** What stands behind the owner: TTL and class in either order, both may be missing (RFC 1035 section 5.1). */
function readRecord({ words, hasOwner }: ZoneEntry): ZoneRecord | null {
  let at = hasOwner ? 1 : 0;
  const isTtlOrClass = (word: string): boolean =>
    /^(?:\d{1,10}|(?:\d{1,10}[smhdw]){1,5}|in|ch|hs)$/i.test(word);
  for (let skipped = 0; skipped < 2 && at < words.length && isTtlOrClass(words[at]); skipped++)
    at++;
  if (at + 1 >= words.length) return null;
  return { type: words[at].toUpperCase(), data: words.slice(at + 1) };
}

/** The name without final dot; null when it depends on an origin that is not known. */
function absolute({ origin, apex }: ZonePlace, name: string): string | null {
  if (endsInDot(name)) return name.slice(0, -1).toLowerCase();
  const base = origin ?? apex;
  if (base === null) return null;
  return join(name === '@' ? '' : name.toLowerCase(), base);
}

/** The owner as labels below the zone's name, empty for the zone's name itself; null outside of it. */
function relativeTo(zone: ZonePlace, owner: string): string | null {
  const name = absolute(zone, owner);
  // Nothing has said what the zone is called: what is relative is relative to it.
  if (name === null) return owner === '@' ? '' : owner.toLowerCase();
  const apex = zone.apex ?? zone.firstOrigin;
  if (apex === null) return null;
  if (name === apex) return '';
  if (apex === '') return name;
  return name.endsWith(`.${apex}`) ? name.slice(0, -apex.length - 1) : null;
}

function join(name: string, base: string): string {
  return name === '' || base === '' ? name + base : `${name}.${base}`;
}

/** `\.` at the end is a dot inside a label; that owner is refused later, as all with escapes are. */
function endsInDot(name: string): boolean {
  return name.endsWith('.') && !name.endsWith('\\.');
}

function readRule(
  draft: FeedDraft,
  entry: ZoneEntry,
  { owner, type, data }: ZoneRecord & { readonly owner: string },
): void {
  const refused = refusedRule(owner, type, data[0]);
  if (refused !== null) {
    draft.reject(entry.line, entry, refused);
    return;
  }
  const text = rpzIndicatorText(owner);
  if (text === null) {
    draft.reject(entry.line, entry, 'bad-address');
    return;
  }
  if (isPassthru(owner, type, data[0])) {
    draft.except(entry.line, text, 'exact');
    return;
  }
  const comment = Buffer.from(entry.comment, 'latin1').toString('utf8');
  draft.addText(entry.line, text, 'name', commentFacts(readComment(comment)));
}

function refusedRule(owner: string, type: string, target: string): FeedReason | null {
  if (!RULE_TYPES.has(type) && !/^TYPE\d{1,5}$/.test(type)) return 'other-record';
  const isAction = type === 'CNAME' && /^rpz-[^.]*\.?$/i.test(target);
  return isAction && !isPassthru(owner, type, target) && !/^rpz-drop\.?$/i.test(target)
    ? 'not-a-block'
    : null;
}

/** The older form of PASSTHRU is a CNAME to the owner itself. */
function isPassthru(owner: string, type: string, target: string): boolean {
  if (type !== 'CNAME') return false;
  const name = target.toLowerCase().replace(/\.$/, '');
  return name === 'rpz-passthru' || name === owner;
}

/** What local data consists of; DNSSEC's records, NS and DNAME are no rules (section 3.6 of the draft). */
const RULE_TYPES: ReadonlySet<string> = new Set([
  ...['CNAME', 'A', 'AAAA', 'TXT', 'MX', 'SRV', 'PTR', 'NAPTR', 'CAA', 'HTTPS', 'SVCB', 'SPF'],
  ...['HINFO', 'RP', 'LOC', 'SSHFP', 'TLSA', 'URI'],
]);
