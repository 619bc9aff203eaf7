import { formatIpv4, formatIpv6 } from '../../dns/address.ts';
import { compareRows, increment, lastOfPrefix } from '../../zone/address-words.ts';
import { IP_SIDES, type IpSide } from '../../zone/ip-compile.ts';
import type { IpContent } from '../../zone/ip-content.ts';
import type { PrefixPages } from '../../zone/ip-pages.ts';
import type { AddressWords } from '../../zone/prefix-rows.ts';
import { type ExportDocument, piecesOf } from './export-document.ts';
import {
  type ExportSource,
  validatorOf,
  zoneNameOf,
  zoneOfSource,
  zoneVersion,
} from './export-source.ts';

export const ADDRESS_SIDES = IP_SIDES;
export const ADDRESS_FAMILIES = ['4', '6', 'all'] as const;
export const ADDRESS_FORMATS = ['plain', 'ranges'] as const;

interface AddressListOptions {
  readonly side: IpSide;
  readonly family: (typeof ADDRESS_FAMILIES)[number];
  /** `plain`: a prefix on each line, an address without length. `ranges`: `first-last`, the fewest. */
  readonly format: (typeof ADDRESS_FORMATS)[number];
}

/** One side of an IP policy as plain text, IPv4 first, in rising order. Throws ModelError. */
export function exportAddresses(source: ExportSource, options: AddressListOptions): ExportDocument {
  const { side, family, format } = options;
  const zone = zoneOfSource(source, side, 'lists of addresses');
  const { body } = zone;
  if (body.kind !== 'ip') throw new Error(`the ${side} zone holds no addresses`);
  return {
    mediaType: 'text/plain; charset=us-ascii',
    fileName: `${zoneNameOf(zone)}.txt`,
    validator: validatorOf('addresses', zoneVersion(zone), family, format),
    pieces: () => piecesOf(addressLines(body.content, family, format)),
  };
}

function* addressLines(
  content: IpContent,
  family: AddressListOptions['family'],
  format: AddressListOptions['format'],
): Generator<string> {
  const linesOf = format === 'plain' ? prefixLines : rangeLines;
  if (family !== '6') yield* linesOf(content.v4, 1);
  if (family !== '4') yield* linesOf(content.v6, 4);
}

function* prefixLines(pages: PrefixPages, words: AddressWords): Generator<string> {
  for (const { prefixes } of pages) {
    for (let index = 0; index < prefixes.count; index++) {
      yield `${prefixText(prefixes.addresses, index * words, prefixes.lengths[index]!, words)}\n`;
    }
  }
}

/** A prefix that holds one address only is written as the address. */
export function prefixText(
  addresses: Uint32Array,
  at: number,
  length: number,
  words: AddressWords,
): string {
  const text = addressText(addresses, at, words);
  return length === words * 32 ? text : `${text}/${length}`;
}

/** Prefixes that touch are one range, however they are cut. */
function* rangeLines(pages: PrefixPages, words: AddressWords): Generator<string> {
  const first = new Uint32Array(words);
  const last = new Uint32Array(words);
  const after = new Uint32Array(words);
  let isOpen = false;
  const line = () => `${addressText(first, 0, words)}-${addressText(last, 0, words)}\n`;
  for (const { prefixes } of pages) {
    for (let index = 0; index < prefixes.count; index++) {
      const { addresses, lengths } = prefixes;
      const at = index * words;
      after.set(last);
      const touches =
        isOpen && increment(after) && compareRows(addresses, at, after, 0, words) === 0;
      if (!touches) {
        if (isOpen) yield line();
        for (let word = 0; word < words; word++) first[word] = addresses[at + word]!;
        isOpen = true;
      }
      lastOfPrefix(addresses, at, lengths[index]!, last);
    }
  }
  if (isOpen) yield line();
}

function addressText(addresses: Uint32Array, at: number, words: AddressWords): string {
  for (let word = 0; word < words; word++) view.setUint32(word * 4, addresses[at + word]!);
  return words === 1 ? formatIpv4(scratch) : formatIpv6(scratch);
}

const scratch = new Uint8Array(16);
const view = new DataView(scratch.buffer);
