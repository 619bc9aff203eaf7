/**
 * The password of an HTTP Basic header (RFC 7617): firewalls and download tools that know no other
 * way send their token as one, under whatever user name. Undefined when it is no such header.
 */
export function basicPassword(header: string): string | undefined {
  // RFC 9110 section 11.1: the scheme is compared without case.
  const match = /^basic +([A-Za-z0-9+/]{1,1024}={0,2}) *$/i.exec(header);
  if (match === null) return undefined;
  const credentials = Buffer.from(match[1]!, 'base64').toString('utf8');
  const colon = credentials.indexOf(':');
  return colon < 0 ? undefined : credentials.slice(colon + 1);
}
