/** A certificate with more entries is taken to prove nothing. */
const ENTRIES_MAX = 100;
const NAME_CHARACTERS_MAX = 253;

/** One entry as `X509Certificate.subjectAltName` writes it; what could be mistaken for two is quoted. */
const ENTRY = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;
/** Letters, digits, hyphens and underscores: no wildcards, no empty labels, no final dot. */
const HOST_NAME =
  /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/**
 * The DNS names of a certificate's subjectAltName, lower case and with final dot. The common name is
 * not one of them (RFC 9525 section 2), and neither are wildcards: a device is one host.
 */
export function dnsNamesOf(subjectAltName: string | undefined): string[] {
  if (subjectAltName === undefined) return [];
  const names = new Set<string>();
  ENTRY.lastIndex = 0;
  for (let entries = 0; ENTRY.lastIndex < subjectAltName.length; entries += 1) {
    const entry = ENTRY.exec(subjectAltName);
    // A text that we do not understand to its end proves nothing at all.
    if (entry === null || entries === ENTRIES_MAX) return [];
    const [, kind, value] = entry;
    const name = value.toLowerCase();
    if (kind === 'DNS' && name.length <= NAME_CHARACTERS_MAX && HOST_NAME.test(name)) {
      names.add(`${name}.`);
    }
  }
  return [...names];
}
