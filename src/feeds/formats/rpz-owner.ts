/**
 * The indicator that an owner of a response policy zone stands for, as `parseIndicator` reads it;
 * null when its labels are no address. `owner` is relative to the zone, in lower case, without final
 * dot; draft-vixie-dnsop-dns-rpz-00 section 4 is where its forms come from.
 *
 * Host bits that are set are cleared later, as Unbound does and BIND does not.
 */
export function rpzIndicatorText(owner: string): string | null {
  const lastDot = owner.lastIndexOf('.');
  const trigger = owner.slice(lastDot + 1);
  const value = lastDot === -1 ? '' : owner.slice(0, lastDot);
  switch (trigger) {
    case 'rpz-ip':
      return prefixText('ip', value);
    case 'rpz-nsip':
      return prefixText('nsip', value);
    case 'rpz-client-ip':
      return prefixText('clientip', value);
    case 'rpz-nsdname':
      return value === '' ? null : nameServerText(value);
    default:
      return owner.startsWith('*.') || owner === '*' ? owner : `host:${owner}`;
  }
}

/**
 * `ns.example.rpz-nsdname` is that name server alone and `*.ns.example.rpz-nsdname` those below it.
 * An indicator of a name server's name has one form, the name with all below it, and takes both.
 */
function nameServerText(value: string): string {
  return `nsname:${value.startsWith('*.') ? value.slice(2) : value}`;
}

function prefixText(kind: 'ip' | 'nsip' | 'clientip', value: string): string | null {
  const [length, ...labels] = value.split('.', LABELS_MAX);
  if (!/^\d{1,3}$/.test(length) || labels.length === 0) return null;
  const parts = labels.reverse();
  const isIpv4 = parts.length === 4 && !parts.includes('zz');
  const address = isIpv4 ? parts.join('.') : ipv6Text(parts);
  return `${kind}:${address}/${Number(length)}`;
}

/** A length and eight groups; one more shows that there are too many. */
const LABELS_MAX = 10;

/** `zz` stands for the longest run of zero groups, as `::` does. */
function ipv6Text(groups: readonly string[]): string {
  const gap = groups.indexOf('zz');
  if (gap === -1) return groups.join(':');
  return `${groups.slice(0, gap).join(':')}::${groups.slice(gap + 1).join(':')}`;
}
