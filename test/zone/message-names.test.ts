import { describe, expect, it } from 'vitest';
import {
  CLASS,
  createMessageWriter,
  isMalformed,
  parseName,
  RRTYPE,
  readMessage,
} from '../../src/dns/index.ts';
import { Catalogue } from '../../src/indicators/index.ts';
import { createVerdicts } from '../../src/policy/index.ts';
import {
  compileRpz,
  createActionTable,
  createRpzRendering,
  encodeRules,
  RPZ_START,
} from '../../src/zone/index.ts';
import { MessageNames } from '../../src/zone/message-names.ts';
import { membersOf, type Source } from '../property/policy-model.ts';
import { createRandom } from '../support/random.ts';
import { recordText } from '../support/zone-image.ts';

const ORIGIN = parseName('rpz.corp.acme.sluice.internal.');
const LIMIT = 16_384;

/** The rules in messages as a client reads them, and what the rules take. */
function transfer(sources: readonly Source[], names?: MessageNames) {
  const catalogue = new Catalogue();
  const rendering = createRpzRendering(60, createActionTable([]));
  const members = membersOf(catalogue, sources);
  const verdicts = createVerdicts(catalogue, members, rendering.numberOf);
  const content = compileRpz(catalogue, verdicts);
  const records: string[] = [];
  let octets = 0;
  for (let from = RPZ_START; ; ) {
    const buffer = new Uint8Array(LIMIT);
    const writer = createMessageWriter(buffer);
    writer.start({ id: 1, isResponse: true });
    writer.question({ name: ORIGIN, type: RRTYPE.AXFR, class: CLASS.IN });
    const at = writer.finish();
    names?.begin();
    const place = { buffer, messageStart: 0, at, limit: LIMIT };
    const common = { catalogue, content, rendering, from, to: null };
    const encoded = encodeRules({ ...common, ...place, ...(names ? { names } : {}) });
    buffer[6] = encoded.records >>> 8;
    buffer[7] = encoded.records & 0xff;
    const message = readMessage(buffer.slice(0, encoded.at));
    if (isMalformed(message)) throw new Error(message.reason);
    records.push(...message.answers.map(recordText));
    octets += encoded.at - at;
    if (encoded.next === null) return { records, octets };
    from = encoded.next;
  }
}

const base = { tier: 'target-block', severity: 3 } as const;
const block = (indicators: readonly string[]): Source => ({
  ...base,
  action: { kind: 'nxdomain' },
  indicators: [...indicators],
});

function manySources(seed: number): Source[] {
  const random = createRandom(seed);
  const label = () =>
    random.pick(['a', 'bb', 'www', 'mail', 'xn--9krt00a', `n${random.below(5_000)}`]);
  const name = () =>
    Array.from({ length: 1 + random.below(4) }, label)
      .join('.')
      .concat(random.pick(['.example', '.test']));
  const octet = () => random.pick([1, 10, 100, random.below(256)]);
  const indicators = Array.from({ length: 3_000 }, () => {
    switch (random.below(8)) {
      case 0:
        return `${random.pick(['ip', 'nsip', 'clientip'])}:${octet()}.${octet()}.${octet()}.${octet()}/32`;
      case 1:
        return `${random.pick(['ip', 'nsip'])}:2001:db8:${random.below(4)}::${random.below(99)}/128`;
      case 2:
        return `nsname:${name()}`;
      case 3:
        return `host:${name()}`;
      case 4:
        return `wildcard:${name()}`;
      default:
        return `name:${name()}`;
    }
  });
  const part = (from: number) => [...new Set(indicators.filter((_, index) => index % 4 === from))];
  return [
    block(part(0)),
    { ...base, severity: 4, action: { kind: 'allow' }, indicators: part(1) },
    { ...base, action: { kind: 'redirect', to: 'garden.example.' }, indicators: part(2) },
    {
      ...base,
      action: {
        kind: 'local-data',
        records: [
          { type: 'A', data: '192.0.2.1' },
          { type: 'A', data: '192.0.2.2' },
        ],
      },
      indicators: part(3),
    },
  ];
}

describe('compression of owners and targets in transfers', () => {
  it.each([1, 2, 3, 4, 5])('says the same records in fewer octets (seed %i)', (seed) => {
    const sources = manySources(seed);
    const plain = transfer(sources);
    const compressed = transfer(sources, new MessageNames());
    expect(compressed.records).toEqual(plain.records);
    expect(compressed.octets).toBeLessThan(plain.octets * 0.85);
  });

  it('says the same records where the root stands above all names', () => {
    const sources = [
      block(['wildcard:*', 'name:a.example']),
      {
        ...base,
        severity: 5,
        action: { kind: 'nodata' },
        indicators: ['name:b.a.example'],
      } as const,
    ];
    const { records } = transfer(sources, new MessageNames());
    expect(records).toEqual(transfer(sources).records);
    expect(records).toContain('*.rpz.corp.acme.sluice.internal. 60 CNAME .');
  });

  it('writes a domain once in a message, and points to it from the names below', () => {
    const { octets } = transfer(
      [block(['host:a.b.example', 'host:c.b.example'])],
      new MessageNames(),
    );
    // Owner, then type, class, TTL, length and the root as the target.
    const [first, second] = ['\x01a\x01b\x07example', '\x01c'].map(
      (labels) => labels.length + 2 + 11,
    );
    expect(octets).toBe(first! + second!);
  });

  it('begins anew with each message', () => {
    const names = new MessageNames();
    const sources = [block(['name:a.b.example', 'name:c.b.example', 'ip:192.0.2.1/32'])];
    expect(transfer(sources, names)).toEqual(transfer(sources, names));
  });
});
