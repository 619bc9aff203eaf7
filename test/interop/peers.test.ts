import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ask,
  axfr,
  compareZones,
  createTsigKey,
  type Endpoint,
  endpointFor,
  eventually,
  type FakeInternet,
  fillSample,
  keepPeersTidy,
  type Named,
  type Peer,
  requirePeer,
  servedSerial,
  startFakeInternet,
  startKnot,
  startNamed,
  startNsd,
  startPowerDns,
  startRecursor,
  startUnbound,
  untilVerdict,
  verdictOf,
  type ZoneSource,
} from './peers/index.ts';

// The harness is proven with a BIND as the primary, where later tests have Sluice: a peer that
// follows BIND and not Sluice then shows a fault of Sluice.
keepPeersTidy();

const SAME = { onlyInFirst: [], onlyInSecond: [] };
const ZONE = 'rpz.policy.account.sluice.internal';

function policyText(serial: number, rules: readonly string[]): string {
  return [
    '$TTL 60',
    `@ SOA ns.sluice.internal. hostmaster.sluice.internal. ${serial} 900 300 1209600 60`,
    '@ NS localhost.',
    ...rules,
    '',
  ].join('\n');
}

describe('The fake Internet', () => {
  let internet: FakeInternet;
  beforeAll(async () => {
    internet = await startFakeInternet({
      hosts: { 'Fixed.example': ['192.0.2.7', '2001:db8::7'] },
      delegations: { 'evil.example': 'ns1.host.example' },
    });
  });
  afterAll(() => internet.stop());

  it('gives every name an address that is the same each time, over UDP and TCP', async () => {
    const udp = await ask(internet, { name: 'any.name.example' });
    const tcp = await ask(internet, { name: 'ANY.name.example', tcp: true });
    expect(udp?.answers).toMatchObject([
      { data: internet.addressesOf('any.name.example', 'A')[0] },
    ]);
    expect(tcp?.answers).toMatchObject([
      { data: internet.addressesOf('any.name.example', 'A')[0] },
    ]);
    expect(internet.addressesOf('other.example', 'A')).not.toEqual(
      internet.addressesOf('any.name.example', 'A'),
    );
    expect(internet.asked).toContain('any.name.example');
  });

  it('gives names of the table their own addresses, by family', async () => {
    const a = await ask(internet, { name: 'fixed.example' });
    const aaaa = await ask(internet, { name: 'fixed.example', type: 'AAAA' });
    expect(a?.answers).toMatchObject([{ type: 'A', data: '192.0.2.7' }]);
    expect(aaaa?.answers).toMatchObject([{ type: 'AAAA', data: '2001:db8::7' }]);
  });

  it('refers from the root to the server of a delegated zone, which answers with authority', async () => {
    const root = { address: internet.root!, port: 53 };
    const referral = await ask(root, { name: 'www.evil.example', recursionDesired: false });
    expect(referral).toMatchObject({
      authoritative: false,
      answers: [],
      authorities: [{ type: 'NS', name: 'evil.example', data: 'ns1.host.example' }],
      additionals: [{ type: 'A', data: internet.nameserverAddressOf('evil.example') }],
    });
    const server = { address: internet.nameserverAddressOf('evil.example'), port: 53 };
    const answer = await ask(server, { name: 'www.evil.example', recursionDesired: false });
    expect(answer).toMatchObject({ authoritative: true, answers: [{ type: 'A' }] });
  });
});

describe('A harness that cannot be fooled', () => {
  it('says that nothing answered when nothing listens', async () => {
    const nobody = await endpointFor('nobody');
    expect(await ask(nobody, { name: 'a.example', timeoutMs: 200 })).toBeNull();
    expect(await ask(nobody, { name: 'a.example', tcp: true, timeoutMs: 200 })).toBeNull();
  });

  it('refuses a placeholder without a value and leaves out a line that is not wanted', async () => {
    await expect(fillSample('bind/sluice-key.conf', { 'key-name': 'k' })).rejects.toThrow(
      'no value for <key-algorithm>',
    );
    const values = { zone: 'z.example', 'primary-address': '192.0.2.1', 'primary-port': 5300 };
    const text = await fillSample('bind/sluice-policy-zone.conf', {
      ...values,
      'key-name': undefined,
    });
    expect(text).toContain('192.0.2.1 port 5300');
    expect(text).not.toMatch(/^\s*key /m);
  });

  it('counts repeated lines when it compares zones', () => {
    expect(compareZones(['a', 'b', 'b'], ['b', 'a', 'c'])).toEqual({
      onlyInFirst: ['b'],
      onlyInSecond: ['c'],
    });
    expect(compareZones(['a', 'b'], ['b', 'a'])).toEqual(SAME);
  });

  it('fails instead of skipping when peers are required and one is missing', () => {
    const before = process.env.SLUICE_REQUIRE_PEERS;
    try {
      delete process.env.SLUICE_REQUIRE_PEERS;
      expect(requirePeer('no-such-nameserver')).toBe(false);
      process.env.SLUICE_REQUIRE_PEERS = '1';
      expect(() => requirePeer('no-such-nameserver')).toThrow('no-such-nameserver');
    } finally {
      if (before === undefined) delete process.env.SLUICE_REQUIRE_PEERS;
      else process.env.SLUICE_REQUIRE_PEERS = before;
    }
  });

  it.skipIf(!requirePeer('named'))('shows the log of a program that does not come up', async () => {
    await expect(startNamed({ extraOptions: 'no-such-option yes;' })).rejects.toThrow(
      "unknown option 'no-such-option'",
    );
  });
});

interface Consumer {
  readonly title: string;
  readonly program: string;
  readonly signs: boolean;
  readonly takesNotify: boolean;
  start(options: {
    listen: Endpoint;
    internet: FakeInternet;
    upstream?: 'forward' | 'iterate';
    rpz: ZoneSource;
  }): Promise<Peer>;
}

const CONSUMERS: readonly Consumer[] = [
  { title: 'BIND', program: 'named', signs: true, takesNotify: true, start: startNamed },
  { title: 'Unbound', program: 'unbound', signs: false, takesNotify: true, start: startUnbound },
  {
    title: 'PowerDNS Recursor',
    program: 'pdns_recursor',
    signs: true,
    takesNotify: false,
    start: startRecursor,
  },
];

describe.each(CONSUMERS)('$title with the configuration that we ship', (consumer) => {
  const installed = requirePeer('named', consumer.program);
  const clientOfItsOwn = '127.200.0.9';
  let internet: FakeInternet;
  let primary: Named;
  let resolver: Peer;

  const rules = [
    'bad.example CNAME .',
    '*.bad.example CNAME .',
    'ok.bad.example CNAME rpz-passthru.',
    'empty.example CNAME *.',
    'dropped.example CNAME rpz-drop.',
    'slow.example CNAME rpz-tcp-only.',
    'garden.example CNAME walled.sluice.internal.',
    'local.example A 192.0.2.80',
    'local.example A 192.0.2.81',
    '24.0.100.51.198.rpz-ip CNAME .',
    '48.zz.bad.db8.2001.rpz-ip CNAME *.',
    `32.9.0.200.127.rpz-client-ip CNAME .`,
  ];

  beforeAll(async () => {
    if (!installed) return;
    internet = await startFakeInternet({
      hosts: {
        'listed4.example': ['198.51.100.9'],
        'beside4.example': ['198.51.101.9'],
        'listed6.example': ['2001:db8:bad::9'],
        'root-of-trust.example': ['192.0.2.1'],
      },
      delegations: { 'evil.example': 'ns1.host.example', 'fine.example': 'ns2.host.example' },
    });
    const key = createTsigKey(`device.${consumer.program}`.replace('_', '-'));
    const listen = await endpointFor(consumer.program);
    primary = await startNamed({
      primaries: [
        {
          zone: ZONE,
          text: policyText(1, rules),
          ...(consumer.signs ? { key } : {}),
          notify: [listen],
        },
      ],
    });
    const rpz = { zone: ZONE, primary, ...(consumer.signs ? { key } : {}) };
    resolver = await consumer.start({ listen, internet, rpz });
    await untilVerdict(resolver, 'bad.example', 'nxdomain');
  });
  afterAll(async () => {
    await resolver?.stop();
    await primary?.stop();
    await internet?.stop();
  });

  it.skipIf(!installed)('gives each action of a name', async () => {
    expect(await verdictOf(resolver, 'good.example')).toBe('resolved');
    expect(await verdictOf(resolver, 'bad.example')).toBe('nxdomain');
    expect(await verdictOf(resolver, 'a.b.bad.example')).toBe('nxdomain');
    expect(await verdictOf(resolver, 'ok.bad.example')).toBe('resolved');
    expect(await verdictOf(resolver, 'empty.example')).toBe('nodata');
    expect(await verdictOf(resolver, 'dropped.example')).toBe('drop');
    expect(await verdictOf(resolver, 'slow.example')).toBe('tcp-only');
    expect(await verdictOf(resolver, 'garden.example')).toBe('redirect to walled.sluice.internal');
    expect(await verdictOf(resolver, 'local.example')).toBe('local data 192.0.2.80 192.0.2.81');
  });

  it.skipIf(!installed)('judges by the addresses in an answer', async () => {
    expect(await verdictOf(resolver, 'listed4.example')).toBe('nxdomain');
    expect(await verdictOf(resolver, 'beside4.example')).toBe('resolved');
    expect(await verdictOf(resolver, 'listed6.example', { type: 'AAAA' })).toBe('nodata');
  });

  it.skipIf(!installed)('judges by the client that asks', async () => {
    expect(await verdictOf(resolver, 'good.example', { from: clientOfItsOwn })).toBe('nxdomain');
    expect(await verdictOf(resolver, 'good.example', { from: '127.200.0.8' })).toBe('resolved');
  });

  it.skipIf(!installed)('follows a change', async () => {
    const changed = [
      ...rules.filter((rule) => !rule.includes('bad.example')),
      'new.example CNAME .',
    ];
    await primary.replaceZone(ZONE, policyText(2, changed));
    await untilVerdict(resolver, 'new.example', 'nxdomain');
    expect(await verdictOf(resolver, 'bad.example')).toBe('resolved');
  });

  it.skipIf(!installed)('judges by name servers when it iterates', async () => {
    const address = internet.nameserverAddressOf('evil.example').split('.').reverse().join('.');
    const nsPolicy = 'rpz.ns.account.sluice.internal';
    const source = await startNamed({
      primaries: [
        {
          zone: nsPolicy,
          text: policyText(1, [`32.${address}.rpz-nsip CNAME .`, 'ready.example CNAME .']),
        },
      ],
    });
    const iterating = await consumer.start({
      listen: await endpointFor(consumer.program),
      internet,
      upstream: 'iterate',
      rpz: { zone: nsPolicy, primary: source },
    });
    await untilVerdict(iterating, 'ready.example', 'nxdomain');
    expect(await verdictOf(iterating, 'www.evil.example')).toBe('nxdomain');
    expect(await verdictOf(iterating, 'www.fine.example')).toBe('resolved');

    await source.replaceZone(
      nsPolicy,
      policyText(2, ['ns2.host.example.rpz-nsdname CNAME .', 'ready2.example CNAME .']),
    );
    await iterating.stop();
    const again = await consumer.start({
      listen: await endpointFor(consumer.program),
      internet,
      upstream: 'iterate',
      rpz: { zone: nsPolicy, primary: source },
    });
    await untilVerdict(again, 'ready2.example', 'nxdomain');
    expect(await verdictOf(again, 'www.fine.example')).toBe('nxdomain');
    expect(await verdictOf(again, 'www.evil.example')).toBe('resolved');
    await again.stop();
    await source.stop();
  });
});

interface Secondary {
  readonly title: string;
  readonly program: string;
  start(options: { listen: Endpoint; secondary: ZoneSource }): Promise<Peer>;
}

const SECONDARIES: readonly Secondary[] = [
  {
    title: 'BIND',
    program: 'named',
    start: ({ listen, secondary }) => startNamed({ listen, secondaries: [secondary] }),
  },
  { title: 'Knot DNS', program: 'knotd', start: startKnot },
  { title: 'NSD', program: 'nsd', start: startNsd },
  { title: 'PowerDNS', program: 'pdns_server', start: startPowerDns },
];

describe.each(SECONDARIES)('$title as a secondary with the configuration that we ship', (peer) => {
  const installed = requirePeer('named', 'dig', peer.program);
  const zone = 'block.policy.account.sluice.internal';
  const text = (serial: number, items: string) =>
    policyText(serial, [
      `@ TXT "v=1 side=block serial=${serial} prefixes4=2 prefixes6=0"`,
      'index.v4 PTR 0.v4',
      `0.v4 APL ${items}`,
      'index.v6 PTR 0.v6',
      '0.v6 APL',
    ]);

  it.skipIf(!installed)('takes a zone with a TSIG key and follows a signed NOTIFY', async () => {
    const key = createTsigKey('device.account');
    const listen = await endpointFor(peer.program);
    const primary = await startNamed({
      primaries: [
        { zone, text: text(1, '1:192.0.2.0/24 1:198.51.100.0/25'), key, notify: [listen] },
      ],
    });
    const secondary = await peer.start({ listen, secondary: { zone, primary, key } });
    await eventually('serial 1 is served', async () => (await servedSerial(secondary, zone)) === 1);
    const first = await axfr(primary, zone, { key });
    expect(first).toContain(`0.v4.${zone}. 60 IN APL 1:192.0.2.0/24 1:198.51.100.0/25`);
    expect(await axfr(secondary, zone)).toEqual(first);

    await primary.replaceZone(zone, text(2, '1:192.0.2.0/24 1:203.0.113.0/24'));
    await eventually('serial 2 is served', async () => (await servedSerial(secondary, zone)) === 2);
    const second = await axfr(primary, zone, { key });
    // All four give transfers on to loopback: as we ship them, PowerDNS by its default.
    expect(compareZones(await axfr(secondary, zone), second)).toEqual(SAME);
    expect(compareZones(first, second).onlyInSecond).toContain(
      `0.v4.${zone}. 60 IN APL 1:192.0.2.0/24 1:203.0.113.0/24`,
    );
    await secondary.stop();
    await primary.stop();
  });

  it.skipIf(!installed)('takes a zone without a key, from its own address', async () => {
    const primary = await startNamed({ primaries: [{ zone, text: text(1, '1:192.0.2.0/24') }] });
    const listen = await endpointFor(peer.program);
    const secondary = await peer.start({ listen, secondary: { zone, primary } });
    await eventually('serial 1 is served', async () => (await servedSerial(secondary, zone)) === 1);
    expect(transferSources(primary)).toContain(secondary.source);
    await secondary.stop();
    await primary.stop();
  });

  it.skipIf(!installed)('gets nothing with a wrong key', async () => {
    const primary = await startNamed({
      primaries: [{ zone, text: text(1, '1:192.0.2.0/24'), key: createTsigKey('device.account') }],
    });
    const listen = await endpointFor(peer.program);
    const wrong = createTsigKey('device.account');
    const secondary = await peer.start({ listen, secondary: { zone, primary, key: wrong } });
    await eventually('the primary refuses the signature', () =>
      /tsig verify failure|BADSIG/i.test(primary.log()),
    );
    expect(await servedSerial(secondary, zone)).toBeNull();
    await expect(axfr(primary, zone, { key: wrong })).rejects.toThrow(/Transfer failed|verify/);
    await secondary.stop();
    await primary.stop();
  });

  function transferSources(primary: Peer): string[] {
    return [...primary.log().matchAll(/client @\S+ (127\.[\d.]+)#\d+ .*AXFR/g)].map(
      ([, ip]) => ip!,
    );
  }
});
