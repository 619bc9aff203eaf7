import type { FeedContent, FeedFormat, KnownFormat, ParseFeedOptions } from '../feed-content.ts';
import { readAdblock } from './adblock.ts';
import { readCsv } from './csv.ts';
import { detectFormat } from './detect-format.ts';
import { readDnsmasq } from './dnsmasq.ts';
import { createFeedDraft } from './feed-draft.ts';
import { countLines } from './feed-lines.ts';
import type { FeedReason } from './feed-reasons.ts';
import { readHosts } from './hosts.ts';
import { readJson, readJsonLines } from './json.ts';
import { readPlainLines, readWildcards } from './lines.ts';
import { readMispCsv, readMispJson } from './misp.ts';
import { readByRegex } from './regex.ts';
import { readRpz } from './rpz.ts';
import { readStix } from './stix.ts';
import { readUnbound } from './unbound.ts';

/**
 * Reads what a source delivered. It never throws, whatever the octets are, but what the checkpoint of
 * its options throws: lines that say nothing are counted by reason, and octets that are no such format
 * at all make the content `unreadable`.
 * Formats that have one document instead of lines are read into memory as a whole.
 */
export function parseFeed(
  octets: Uint8Array,
  format: FeedFormat,
  options: ParseFeedOptions,
): FeedContent {
  const refuse = (reason: FeedReason, text: string): FeedContent =>
    createFeedDraft(octets, options, 'bare').finish({
      detected: format.kind,
      lines: countLines(octets),
      unreadable: { reason, text },
    });
  const lines = countLines(octets);
  if (lines > options.linesMax) return refuse('too-many-lines', `${lines} lines`);
  if (isKnown(format)) return readFormat(octets, format, options);
  const detected = detectFormat(octets);
  if (!detected.ok) return refuse(detected.reason, '');
  return readFormat(octets, detected.format, options);
}

function isKnown(format: FeedFormat): format is KnownFormat {
  return format.kind !== 'auto';
}

function readFormat(
  octets: Uint8Array,
  format: KnownFormat,
  options: ParseFeedOptions,
): FeedContent {
  switch (format.kind) {
    case 'lines':
      return readPlainLines(octets, options);
    case 'wildcard':
      return readWildcards(octets, options);
    case 'hosts':
      return readHosts(octets, options);
    case 'adblock':
      return readAdblock(octets, options);
    case 'dnsmasq':
      return readDnsmasq(octets, options);
    case 'unbound':
      return readUnbound(octets, options);
    case 'rpz':
      return readRpz(octets, options);
    case 'csv':
      return readCsv(octets, format, options);
    case 'json':
      return readJson(octets, format, options);
    case 'jsonl':
      return readJsonLines(octets, format, options);
    case 'misp-json':
      return readMispJson(octets, options);
    case 'misp-csv':
      return readMispCsv(octets, options);
    case 'stix':
      return readStix(octets, options);
    case 'regex':
      return readByRegex(octets, format, options);
  }
}
