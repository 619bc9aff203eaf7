import type { Catalogue } from '../../indicators/catalogue.ts';
import { zoneText } from '../../zone/zone-text.ts';
import { type ExportDocument, reusedRoom } from './export-document.ts';
import {
  type ExportSource,
  validatorOf,
  zoneNameOf,
  zoneOfSource,
  zoneVersion,
} from './export-source.ts';

/** The RPZ zone as a zone file (text/dns, RFC 4027), for resolvers that read files. Throws ModelError. */
export function exportZoneFile(source: ExportSource, catalogue: Catalogue): ExportDocument {
  const zone = zoneOfSource(source, 'rpz', 'an RPZ zone');
  return {
    mediaType: 'text/dns; charset=us-ascii',
    fileName: `${zoneNameOf(zone)}.zone`,
    validator: validatorOf('rpz', zoneVersion(zone)),
    pieces: () => zoneText(zone, catalogue, reusedRoom()),
  };
}
