/**
 * Policies as files for programs that ask no name server: zone files, lists of addresses and names,
 * threat lists, rules for intrusion detection. Each is made from one published state while it is
 * read, piece by piece, and says what its content depends on.
 *
 * Here: the forms and their content. Not here: who may read them and how they are sent (http/).
 */
export {
  ADDRESS_FAMILIES,
  ADDRESS_FORMATS,
  ADDRESS_SIDES,
  exportAddresses,
} from './address-list.ts';
export { exportDomains } from './domain-list.ts';
export { type ExportDocument, type Pieces, piecesOf } from './export-document.ts';
export { type ExportSource, sourceOfDevice, sourceOfPolicy } from './export-source.ts';
export { exportSuricata, SURICATA_ACTIONS } from './suricata-rules.ts';
export { exportThreats } from './threat-list.ts';
export { exportZoneFile } from './zone-file.ts';
