import {
  CLASS,
  formatName,
  isWithin,
  lowerCaseName,
  type Name,
  type ResourceRecord,
  RRTYPE,
  relativeLabels,
  rrtypeName,
} from '../../dns/index.ts';
import type { FeedContent, ParseFeedOptions } from '../feed-content.ts';
import { createFeedDraft } from '../formats/feed-draft.ts';
import { rpzIndicatorText } from '../formats/rpz-owner.ts';
import { dnsblIndicatorText, isListed } from './dnsbl-owner.ts';
import type { TransferSink } from './transfer-reader.ts';

export type UpstreamForm = 'rpz' | 'dnsbl';

/** Gathers what a transfer brings into the content of a feed. */
export interface UpstreamContent extends TransferSink {
  /** Whether all of the zone came. */
  isWhole(): boolean;
  /**
   * Whether what changed cannot be told by owners alone: of an RRset with several records one may
   * have gone and others stayed. Then the whole zone has to be asked for.
   */
  isUnclear(): boolean;
  finish(): FeedContent;
}

/**
 * Every owner stands for an indicator of its own: `name` for that name alone and `*.name` for what
 * is below it, so that what an IXFR takes away is exactly what it brought. The last word on an owner
 * counts.
 */
export function createUpstreamContent(
  zone: Name,
  form: UpstreamForm,
  options: ParseFeedOptions,
): UpstreamContent {
  const apex = lowerCaseName(zone);
  const draft = createFeedDraft(NO_OCTETS, options, 'name');
  /** By the text of the indicator, whether it is listed at the end. */
  const changed = new Map<string, boolean>();
  let whole = true;
  let unclear = false;
  let records = 0;

  const ownerOf = ({ name, class: ofClass }: ResourceRecord): string | null => {
    const owner = lowerCaseName(name);
    const isInside = isWithin(owner, apex) && owner.length > apex.length;
    return ofClass === CLASS.IN && isInside ? ownerText(owner, apex) : null;
  };
  const textOf = form === 'rpz' ? rpzIndicatorText : dnsblIndicatorText;
  const take = (record: ResourceRecord, isAdded: boolean): void => {
    records++;
    const owner = ownerOf(record);
    if (owner === null) return;
    const listing = form === 'rpz' ? rpzListing(record) : isListed(record) ? 'listed' : 'other';
    if (listing === 'other') {
      if (isAdded) draft.reject(records, `${owner} ${rrtypeName(record.type)}`, 'other-record');
      return;
    }
    if (!whole && !isAdded && record.type !== RRTYPE.CNAME && form === 'rpz') unclear = true;
    const text = textOf(owner);
    if (text === null) {
      if (isAdded) draft.reject(records, owner, 'bad-address');
    } else if (whole && listing === 'listed') draft.addText(records, text, 'name');
    else if (whole) draft.except(records, text, 'exact');
    else if (listing === 'listed') changed.set(text, isAdded);
    else if (isAdded) changed.set(text, false);
  };

  return {
    begin: (isWhole) => {
      whole = isWhole;
    },
    add: (record) => take(record, true),
    remove: (record) => take(record, false),
    isWhole: () => whole,
    isUnclear: () => unclear,
    finish() {
      let line = 0;
      for (const [text, isListedNow] of changed) {
        line++;
        if (isListedNow) draft.addText(line, text, 'name');
        else draft.withdraw(line, text);
      }
      return draft.finish({ detected: 'rpz', lines: records });
    },
  };
}

const NO_OCTETS = new Uint8Array(0);

/** The labels below the apex in presentation form, lower case, without final dot. */
function ownerText(owner: Name, apex: Name): string {
  const labels = relativeLabels(owner, apex) ?? NO_OCTETS;
  return formatName(Uint8Array.from([...labels, 0]) as Name).slice(0, -1);
}

/** What a record of a response policy zone says of its owner (draft-vixie-dnsop-dns-rpz-00 section 3). */
function rpzListing(record: ResourceRecord): 'listed' | 'passes' | 'other' {
  if (record.type !== RRTYPE.CNAME) return DATA_TYPES.has(record.type) ? 'listed' : 'other';
  // Names in rdata are whole when a message has been read.
  const target = formatName(lowerCaseName(record.rdata as Name));
  if (target === 'rpz-passthru.') return 'passes';
  return target.startsWith('rpz-') && target !== 'rpz-drop.' ? 'other' : 'listed';
}

/** Local data counts as a plain block. */
const DATA_TYPES: ReadonlySet<number> = new Set([
  RRTYPE.A,
  RRTYPE.AAAA,
  RRTYPE.TXT,
  RRTYPE.MX,
  RRTYPE.PTR,
]);
