/** RFC 1123 section 2.1: letters, digits and inner hyphens. */
const HOST_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** RFC 1035 section 2.3.4 allows 255 octets on the wire, which are 253 characters without final dot. */
const HOST_NAME_LENGTH_MAX = 253;

/** A host name in lower case without final dot, or the rule that the text breaks, as a sentence. */
export type ReadHostName = { readonly name: string } | { readonly rule: string };

/**
 * Reads the name of one host on the network, as certificates and address records have it. Not taken:
 * wildcards, names of one label (which search lists would complete), and names in `.localhost`,
 * which each machine answers for itself (RFC 6761 section 6.3).
 */
export function readHostName(text: string): ReadHostName {
  const name = text.toLowerCase().replace(/\.$/, '');
  const labels = name.split('.');
  const refused = (rule: string): ReadHostName => ({ rule: `"${text}" ${rule}` });
  if (!/^[\x21-\x7e]+$/.test(name)) {
    return refused('is written in A-labels, with xn-- before what is not ASCII (RFC 5890).');
  }
  if (labels.includes('*')) return refused('is the name of one host: wildcards are not taken.');
  if (name.length > HOST_NAME_LENGTH_MAX) return refused('has at most 253 characters.');
  if (labels.at(-1) === 'localhost') return refused('means every machine itself.');
  if (!labels.every((label) => HOST_LABEL.test(label))) {
    return refused('is not a host name: labels of letters (a to z), digits and inner hyphens.');
  }
  // RFC 3696 section 2: a last label of digits is that of an address.
  if (/^\d+$/.test(labels.at(-1)!)) return refused('ends like an address.');
  if (labels.length < 2) return refused('is a name with its domain, such as resolver.example.com.');
  return { name };
}
