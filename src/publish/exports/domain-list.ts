import type { Catalogue } from '../../indicators/catalogue.ts';
import { formatNameKey } from '../../indicators/format-indicator.ts';
import { type ExportDocument, piecesOf } from './export-document.ts';
import {
  type ExportSource,
  validatorOf,
  zoneNameOf,
  zoneOfSource,
  zoneVersion,
} from './export-source.ts';
import { nameRules } from './rpz-names.ts';

export interface DomainListOptions {
  /** Says `*.name`, too, where the names below one are blocked. */
  readonly wildcards: boolean;
}

/** The names that a DNS policy blocks, one a line, without order. Throws ModelError. */
export function exportDomains(
  source: ExportSource,
  catalogue: Catalogue,
  options: DomainListOptions,
): ExportDocument {
  const zone = zoneOfSource(source, 'rpz', 'lists of names');
  return {
    mediaType: 'text/plain; charset=us-ascii',
    fileName: `${zoneNameOf(zone)}.domains.txt`,
    validator: validatorOf('domains', zoneVersion(zone), options.wildcards),
    pieces() {
      const { body } = zone;
      if (body.kind !== 'rpz') throw new Error('a DNS policy has a zone without rules');
      return piecesOf(domainLines(nameRules(body.content, body.rendering, catalogue), options));
    },
  };
}

function* domainLines(
  rules: ReturnType<typeof nameRules>,
  { wildcards }: DomainListOptions,
): Generator<string> {
  for (const { labels, self, below } of rules) {
    const name = formatNameKey(labels);
    // Readers of such lists know no escapes: what needs one would spoil the whole list for some.
    if (name.includes('\\')) continue;
    if (self === 'block') yield `${name}\n`;
    if (wildcards && below === 'block') yield labels.length === 0 ? '*\n' : `*.${name}\n`;
  }
}
