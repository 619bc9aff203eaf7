import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../dns/address.ts';
import { formatName, lowerCaseName, parseName } from '../dns/name.ts';
import type { Catalogue } from '../indicators/catalogue.ts';
import { formatIndicator } from '../indicators/format-indicator.ts';
import { type Cover, type CoverQuery, findCovers } from '../policy/explain.ts';
import type { PolicyId } from '../policy/model.ts';
import { ModelError } from '../policy/model-error.ts';
import type { Explanation, Publisher } from './publisher.ts';
import type { PublishedState } from './state.ts';

type Query = Parameters<Publisher['explain']>[1];

/** Which verdict a name or address has in a policy, and why. Throws ModelError. */
export function explainQuery(options: {
  readonly state: PublishedState;
  readonly catalogue: Catalogue;
  readonly policyId: PolicyId;
  readonly query: Query;
}): Explanation {
  const { state, catalogue, policyId, query } = options;
  const compiled = state.compiled.get(policyId);
  if (compiled === undefined) {
    throw new ModelError('not-found', {
      field: 'policy',
      value: policyId,
      rule: 'there is no such policy',
    });
  }
  if (compiled.kind === 'ip' && query.trigger !== 'ip') {
    throw new ModelError('invalid-value', {
      field: 'trigger',
      value: query.trigger,
      rule: 'an IP policy is asked about addresses only',
    });
  }
  const { text, cover } = parseQuery(query);
  const covers = findCovers(catalogue, compiled.members, cover);
  return {
    query: text,
    trigger: query.trigger,
    verdict: covers[0]?.member.action ?? null,
    covers: covers.map((found, index) => describeCover(found, state, index === 0)),
  };
}

/** An address in words: one for IPv4, four for IPv6. */
function addressWords(address: Uint8Array): Uint32Array {
  const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
  return Uint32Array.from({ length: address.length / 4 }, (_, word) => view.getUint32(word * 4));
}

function parseQuery({ trigger, value }: Query): { text: string; cover: CoverQuery } {
  if (trigger === 'qname' || trigger === 'nsdname') {
    const name = parseQueryName(value);
    return { text: formatName(name), cover: { trigger, labels: name.subarray(0, -1) } };
  }
  const v4 = parseIpv4(value);
  const address = v4 ?? parseIpv6(value);
  if (address === null) {
    throw new ModelError('address-form', {
      field: 'address',
      value,
      rule: 'must be an IPv4 or IPv6 address',
    });
  }
  const words = addressWords(address);
  const text = v4 ? formatIpv4(address) : formatIpv6(address);
  return { text, cover: { trigger, words, length: words.length * 32 } };
}

function parseQueryName(value: string) {
  try {
    return lowerCaseName(parseName(value));
  } catch (error) {
    const rule = error instanceof Error ? error.message : 'must be a domain name';
    throw new ModelError('name-form', { field: 'name', value, rule });
  }
}

function describeCover(
  { indicator, member }: Cover,
  state: PublishedState,
  decides: boolean,
): Explanation['covers'][number] {
  return {
    indicator: formatIndicator(indicator.kind, indicator.key),
    kind: indicator.kind,
    source: member.source,
    viaBundles: member.viaBundles.map((id) => state.model.bundles.get(id)?.name ?? String(id)),
    tier: member.tier,
    severity: member.severity,
    action: member.action,
    decides,
  };
}
