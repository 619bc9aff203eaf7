import type { Catalogue } from '../../indicators/catalogue.ts';
import { NONE } from '../../indicators/catalogue.ts';
import { formatNameKey } from '../../indicators/format-indicator.ts';
import { boundaryHash, type PrefixPages } from '../../zone/ip-pages.ts';
import { stateAt } from '../../zone/rpz-content.ts';
import type { ZoneBody, ZoneSnapshot } from '../../zone/snapshot.ts';
import { prefixText } from './address-list.ts';
import { type ExportDocument, piecesOf } from './export-document.ts';
import {
  type ExportSource,
  validatorOf,
  zoneNameOf,
  zoneOfSource,
  zoneVersion,
} from './export-source.ts';
import { type NameRule, nameRules, nameVerdicts } from './rpz-names.ts';

export const SURICATA_ACTIONS = ['alert', 'drop'] as const;

export interface SuricataOptions {
  readonly action: (typeof SURICATA_ACTIONS)[number];
}

/** Sids of names: above all that rule sets which are sold or given away use. */
const NAME_SID_BASE = 1_000_000_000;
/** A name with the names below it, the name alone, what is below it; the last is for exceptions. */
const SIDS_PER_NAME = 4;
/** Sids of groups of addresses: behind those of the first 250 million names. */
const GROUP_SID_BASE = 2_000_000_000;
const GROUP_SIDS = 2_000_000_000;

/** Says what a reader of the rules has to know; every line is a comment. */
const HEAD = [
  '# sid of a name: 1000000000 + 4 x its number in the catalogue + 0 (the name and all below),',
  '# 1 (the name alone), 2 (only what is below) or 3 (an exception). It stays while the server knows',
  '# the name; only a start that drops unused names from the catalogue may number anew.',
  '# sid of a group of addresses: 2000000000 + a hash of its first prefix, or the next that is free.',
  '# Exceptions are pass rules, which end the inspection of their packet or flow.',
  '# Rules for addresses in answers, name servers and clients have no form here.',
];

/** What the policy blocks as rules for Suricata 6 and 7. */
export function exportSuricata(
  source: ExportSource,
  catalogue: Catalogue,
  options: SuricataOptions,
): ExportDocument {
  const zone = zoneOfSource(source, source.type === 'dns' ? 'rpz' : 'block', 'rules');
  return {
    mediaType: 'text/plain; charset=us-ascii',
    fileName: `${zoneNameOf(zone)}.rules`,
    validator: validatorOf('suricata', zoneVersion(zone), options.action),
    pieces: () => piecesOf(ruleLines(zone, catalogue, options)),
  };
}

function* ruleLines(
  zone: ZoneSnapshot,
  catalogue: Catalogue,
  { action }: SuricataOptions,
): Generator<string> {
  const { body } = zone;
  yield `# ${zoneNameOf(zone)} at serial ${zone.serial}\n${HEAD.join('\n')}\n`;
  const rule = (rule: Rule) => ruleText(zoneNameOf(zone), rule);
  if (body.kind === 'ip') {
    for (const family of groupFamilies(body))
      for (const group of family) yield rule({ action, ...group });
    return;
  }
  if (body.kind === 'catalog') throw new Error(`${zoneNameOf(zone)} is no zone of a policy`);
  for (const name of nameRules(body.content, body.rendering, catalogue)) {
    for (const match of matchesOf(name, 'block')) yield rule({ action, ...match });
    for (const match of matchesOf(name, 'allow')) {
      if (isExceptionAt(body, catalogue, name.id)) yield rule({ action: 'pass', ...match });
    }
  }
}

interface Rule {
  readonly action: 'alert' | 'drop' | 'pass';
  readonly sid: number;
  /** Protocol, addresses, ports and direction. */
  readonly header: string;
  readonly about: string;
  /** Keywords, each with its semicolon. */
  readonly keywords: string;
}

function ruleText(zone: string, { action, sid, header, about, keywords }: Rule): string {
  const verb = action === 'pass' ? 'allows' : 'blocks';
  const message = escapeMessage(`Sluice ${zone} ${verb} ${about}`);
  return `${action} ${header} (msg:"${message}"; ${keywords}sid:${sid}; rev:1;)\n`;
}

/** `"`, `;`, `:` and `\` mean something in a rule. */
function escapeMessage(text: string): string {
  return text.replaceAll(/[";:\\]/g, '\\$&');
}

type Match = Omit<Rule, 'action'>;

const DNS_HEADER = 'dns any any -> any any';

/** The rules for the queries that a verdict holds for: a name with all below it is one. */
function* matchesOf(name: NameRule, verdict: 'block' | 'allow'): Generator<Match> {
  const self = name.self === verdict;
  const below = name.below === verdict;
  if (!self && !below) return;
  const base = NAME_SID_BASE + SIDS_PER_NAME * name.id;
  const text = formatNameKey(name.labels);
  if (name.labels.length === 0) {
    yield {
      sid: verdict === 'allow' ? base + 3 : base,
      header: DNS_HEADER,
      about: 'every name',
      keywords: 'dns.query; bsize:>0; ',
    };
    return;
  }
  // A dot before the query and before the pattern: then the end of a label is not enough to match.
  const kind = self && below ? 0 : self ? 1 : 2;
  const content = contentOf(name.labels);
  const keywords = [
    `dns.query; dotprefix; content:".${content}"; endswith; nocase; `,
    `dns.query; content:"${content}"; bsize:${queryOctets(name.labels)}; nocase; `,
    `dns.query; content:".${content}"; endswith; nocase; `,
  ][kind]!;
  const about = [`${text} and all below`, text, `all below ${text}`][kind]!;
  yield {
    // Kinds 1 and 2 are never said twice of one name, so only the exception for both needs a number.
    sid: base + (verdict === 'allow' && kind === 0 ? 3 : kind),
    header: DNS_HEADER,
    about,
    keywords,
  };
}

/** Labels with dots between them, as the buffer `dns.query` has them; all but plain octets in hexadecimal. */
function contentOf(labels: Uint8Array): string {
  let content = '';
  for (let at = 0; at < labels.length; at += labels[at]! + 1) {
    if (at > 0) content += '.';
    for (let index = 1; index <= labels[at]!; index++) {
      const octet = labels[at + index]!;
      const character = String.fromCharCode(octet);
      content += /[a-z0-9_-]/.test(character)
        ? character
        : `|${octet.toString(16).padStart(2, '0')}|`;
    }
  }
  return content;
}

/** The first length octet stands for no dot. */
function queryOctets(labels: Uint8Array): number {
  return labels.length - 1;
}

/** Whether something above an owner blocks it, so that the allow has to be said. */
function isExceptionAt(
  body: ZoneBody & { kind: 'rpz' },
  catalogue: Catalogue,
  id: number,
): boolean {
  for (let above = catalogue.parent(id); above !== NONE; above = catalogue.parent(above)) {
    if (nameVerdicts(stateAt(body.content, above), body.rendering).below === 'block') return true;
  }
  return false;
}

function* groupFamilies(body: ZoneBody & { kind: 'ip' }): Generator<Iterable<Match>> {
  const used = new Set<number>();
  yield addressGroups(body.content.v4, used);
  yield addressGroups(body.content.v6, used);
}

/**
 * A rule for each bucket of the zone's pages: at most 64 prefixes, cut by content, so that a changed
 * address touches one rule and the others keep their sids.
 */
function* addressGroups(pages: PrefixPages, used: Set<number>): Generator<Match> {
  for (const { prefixes, bucketStarts } of pages) {
    for (const [bucket, start] of bucketStarts.entries()) {
      const end = bucketStarts[bucket + 1] ?? prefixes.count;
      const texts: string[] = [];
      for (let index = start; index < end; index++) {
        const { addresses, lengths, words } = prefixes;
        texts.push(prefixText(addresses, index * words, lengths[index]!, words));
      }
      let place = boundaryHash(prefixes, start) % GROUP_SIDS;
      while (used.has(place)) place = (place + 1) % GROUP_SIDS;
      used.add(place);
      yield {
        sid: GROUP_SID_BASE + place,
        header: `ip [${texts.join(',')}] any <> any any`,
        about: `${texts.length} prefixes from ${texts[0]} on`,
        keywords: '',
      };
    }
  }
}
