import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createAccount, createPolicy, createToken } from '../../src/publish/edits/index.ts';
import { type Scene, scene } from './scene.ts';

/** One request with headers of its own; its answer as octets. */
async function get(
  { app, tokens }: Scene,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method: 'GET' | 'HEAD' = 'GET',
) {
  const response = await app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { authorization: `Bearer ${tokens.viewer}`, ...headers },
  });
  return {
    status: response.statusCode,
    headers: response.headers,
    octets: response.rawPayload,
    text: response.body,
  };
}

async function make({ ok }: Scene, kind: string, path: string, body: object): Promise<number> {
  const made = await ok('POST', path, body);
  return Number(made[kind]!.id);
}

async function makeTarget(
  made: Scene,
  name: string,
  indicators: string,
  fields: object = {},
): Promise<number> {
  const id = await make(made, 'target', '/targets', { name, ...fields });
  await made.ok('PUT', `/targets/${id}/indicators`, indicators);
  return id;
}

/** A DNS policy that blocks names and allows one below them. */
async function dnsPolicy(made: Scene): Promise<{ policyId: number; targetId: number }> {
  const targetId = await makeTarget(
    made,
    'evil',
    'evil.example\nhost:one.example\n*.low.example\n198.51.100.0/24\n',
    { attributes: { threatType: 'malware', severity: 4 } },
  );
  const listId = await make(made, 'list', '/lists', { name: 'ours', action: 'allow' });
  await made.ok('PUT', `/lists/${listId}/entries`, { entries: ['ok.evil.example'] });
  const policyId = await make(made, 'policy', '/policies', {
    name: 'corp',
    type: 'dns',
    attachments: [
      { kind: 'target', id: targetId },
      { kind: 'list', id: listId, action: { kind: 'allow' } },
    ],
  });
  return { policyId, targetId };
}

async function ipPolicy(made: Scene): Promise<{ policyId: number; targetId: number }> {
  const targetId = await makeTarget(
    made,
    'scanners',
    '192.0.2.0/25\n192.0.2.128/26\n203.0.113.7\n2001:db8:1::/48\nname.example\n',
    { attributes: { threatType: 'scanner' } },
  );
  const listId = await make(made, 'list', '/lists', { name: 'partners', action: 'allow' });
  await made.ok('PUT', `/lists/${listId}/entries`, { entries: ['192.0.2.5'] });
  const policyId = await make(made, 'policy', '/policies', {
    name: 'edge',
    type: 'ip',
    attachments: [
      { kind: 'target', id: targetId },
      { kind: 'list', id: listId },
    ],
  });
  return { policyId, targetId };
}

describe('an export', () => {
  it('of a DNS policy is the zone file of what is served', async () => {
    const made = await scene();
    const { policyId } = await dnsPolicy(made);
    const answer = await get(made, `/policies/${policyId}/exports/rpz`);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/dns; charset=us-ascii',
      'content-disposition': 'attachment; filename="rpz.corp.acme.sluice.internal.zone"',
      'cache-control': 'private, no-cache',
      vary: 'accept-encoding',
    });
    const serial = made.publisher.state.zones.get('rpz.corp.acme.sluice.internal.')!.serial;
    expect(answer.text).toContain(`$ORIGIN rpz.corp.acme.sluice.internal.\n`);
    expect(answer.text).toContain(` hostmaster.sluice.internal. ${serial} `);
    const lines = answer.text.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'evil.example CNAME .',
        '*.evil.example CNAME .',
        'ok.evil.example CNAME rpz-passthru.',
        '*.ok.evil.example CNAME rpz-passthru.',
        'one.example CNAME .',
        '*.low.example CNAME .',
        '24.0.100.51.198.rpz-ip CNAME .',
      ]),
    );
  });

  it('is not sent again while nothing changed, and is when something did', async () => {
    const made = await scene();
    const { policyId, targetId } = await dnsPolicy(made);
    for (const kind of ['rpz', 'threats', 'domains', 'suricata']) {
      const path = `/policies/${policyId}/exports/${kind}`;
      const first = await get(made, path);
      const etag = String(first.headers.etag);
      expect(etag).toMatch(/^"[^"]+"$/);
      const again = await get(made, path, { 'if-none-match': `"other", W/${etag}` });
      expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag]);
      expect((await get(made, path, { 'if-none-match': '*' })).status).toBe(304);
      await made.ok('PATCH', `/targets/${targetId}/indicators`, { add: [`${kind}.new.example`] });
      const changed = await get(made, path, { 'if-none-match': etag });
      expect(changed.status, kind).toBe(200);
      expect(changed.headers.etag).not.toBe(etag);
      expect(changed.text).toContain(`${kind}.new.example`);
    }
  });

  it('has another ETag for other options', async () => {
    const made = await scene();
    const dns = await dnsPolicy(made);
    const ip = await ipPolicy(made);
    const paths = [
      `/policies/${dns.policyId}/exports/domains`,
      `/policies/${dns.policyId}/exports/domains?wildcards=true`,
      `/policies/${dns.policyId}/exports/suricata`,
      `/policies/${dns.policyId}/exports/suricata?action=drop`,
      ...['', 'side=allow', 'family=4', 'family=6', 'format=ranges'].map(
        (query) => `/policies/${ip.policyId}/exports/addresses?${query}`,
      ),
    ];
    const tags = await Promise.all(paths.map(async (path) => (await get(made, path)).headers.etag));
    expect(new Set(tags).size).toBe(paths.length);
  });

  it('of a policy that was rolled back is the content that is served', async () => {
    const made = await scene();
    const { policyId, targetId } = await dnsPolicy(made);
    const path = `/policies/${policyId}/exports/rpz`;
    const rulesOf = async () => (await get(made, path)).text.split('$TTL 60\n').at(-1);
    const before = await rulesOf();
    const { serial } = made.publisher.state.zones.get('rpz.corp.acme.sluice.internal.')!;
    made.time.now += 5_000;
    await made.ok('PATCH', `/targets/${targetId}/indicators`, { add: ['later.example'] });
    expect(await rulesOf()).toContain('later.example');
    await made.ok('POST', `/policies/${policyId}/rollback`, { serial });
    expect(await rulesOf()).toBe(before);
    expect((await get(made, `/policies/${policyId}/exports/domains`)).text).not.toContain('later');
  });

  it('is compressed for who takes gzip, under an ETag of its own', async () => {
    const made = await scene();
    const { policyId } = await dnsPolicy(made);
    const path = `/policies/${policyId}/exports/rpz`;
    const plain = await get(made, path);
    for (const accepted of ['gzip', 'br, gzip;q=0.5', '*', 'GZIP']) {
      const packed = await get(made, path, { 'accept-encoding': accepted });
      expect(packed.headers['content-encoding'], accepted).toBe('gzip');
      expect(gunzipSync(packed.octets).toString()).toBe(plain.text);
      expect(packed.headers.etag).not.toBe(plain.headers.etag);
      const again = { 'accept-encoding': accepted, 'if-none-match': String(packed.headers.etag) };
      expect((await get(made, path, again)).status).toBe(304);
    }
    for (const accepted of ['identity', 'gzip;q=0', 'br']) {
      const answer = await get(made, path, { 'accept-encoding': accepted });
      expect(answer.headers['content-encoding'], accepted).toBeUndefined();
      expect(answer.text).toBe(plain.text);
    }
  });

  it('tells its headers alone when asked with HEAD', async () => {
    const made = await scene();
    const { policyId } = await dnsPolicy(made);
    const path = `/policies/${policyId}/exports/rpz`;
    const whole = await get(made, path);
    const head = await get(made, path, {}, 'HEAD');
    expect([head.status, head.text]).toEqual([200, '']);
    for (const name of ['etag', 'content-type', 'content-disposition', 'cache-control', 'vary']) {
      expect(head.headers[name], name).toBe(whole.headers[name]);
    }
    expect(head.headers['content-length']).toBeUndefined();
    const current = { 'if-none-match': String(head.headers.etag) };
    expect((await get(made, path, current, 'HEAD')).status).toBe(304);
  });

  it('takes the token as the password of HTTP Basic, which other routes do not', async () => {
    const made = await scene();
    const { policyId } = await dnsPolicy(made);
    const basic = (user: string, password: string) => ({
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    });
    const path = `/policies/${policyId}/exports/domains`;
    for (const user of ['', 'sluice', 'any body']) {
      expect((await get(made, path, basic(user, made.tokens.viewer))).status).toBe(200);
    }
    const wrong = await get(made, path, basic('sluice', 'wrong'));
    expect(wrong.status).toBe(401);
    expect(wrong.headers['www-authenticate']).toBe(
      'Bearer realm="sluice", Basic realm="sluice", charset="UTF-8"',
    );
    const elsewhere = await get(made, '/policies', basic('sluice', made.tokens.viewer));
    expect(elsewhere.status).toBe(401);
    expect(elsewhere.headers['www-authenticate']).toBe('Bearer realm="sluice"');
    expect((await get(made, path, basic('sluice', made.tokens.sensor))).status).toBe(403);
  });

  it('is not told of a policy or device of another account', async () => {
    const made = await scene();
    const { policyId } = await dnsPolicy(made);
    const deviceId = await make(made, 'device', '/devices', { name: 'one', type: 'dns', policyId });
    const secret = await made.asServer((edit) => {
      const other = createAccount(edit, { label: 'other', name: 'Other' });
      return createToken({ ...edit, accountId: other.id }, { name: 'x', role: 'viewer' }).secret;
    });
    for (const holder of [`/policies/${policyId}`, `/devices/${deviceId}`]) {
      for (const kind of ['rpz', 'addresses', 'threats', 'domains', 'suricata']) {
        const headers = { authorization: `Bearer ${secret}` };
        const answer = await get(made, `${holder}/exports/${kind}`, headers);
        expect(answer.status, `${holder} ${kind}`).toBe(404);
      }
    }
  });

  it('that a type of policy does not have is refused with a reason', async () => {
    const made = await scene();
    const dns = await dnsPolicy(made);
    const ip = await ipPolicy(made);
    for (const [path, value] of [
      [`/policies/${ip.policyId}/exports/rpz`, 'ip'],
      [`/policies/${ip.policyId}/exports/domains`, 'ip'],
      [`/policies/${dns.policyId}/exports/addresses`, 'dns'],
    ] as const) {
      const problem = await made.refused('GET', path);
      expect(problem).toMatchObject({ status: 422, field: 'policy type', value });
      expect(problem.rule).toMatch(/^Only (IP|DNS) policies have /);
    }
    const problem = await made.refused('GET', `/policies/${ip.policyId}/exports/addresses?side=x`);
    expect(problem.status).toBe(400);
  });
});

describe('a list of addresses', () => {
  it('has the fewest prefixes of one side, carved around what is allowed', async () => {
    const made = await scene();
    const { policyId } = await ipPolicy(made);
    const path = `/policies/${policyId}/exports/addresses`;
    const canary = (await made.ok('GET', '/targets')).items as unknown as { name: string }[];
    expect(canary.map(({ name }) => name)).not.toContain('canary');
    const lines = (await get(made, `${path}?side=block`)).text.split('\n');
    expect(lines).toEqual([
      '192.0.2.0/30',
      '192.0.2.4',
      '192.0.2.6/31',
      '192.0.2.8/29',
      '192.0.2.16/28',
      '192.0.2.32/27',
      '192.0.2.64/26',
      '192.0.2.128/26',
      '203.0.113.7',
      '2001:db8:1::/48',
      '',
    ]);
    expect((await get(made, `${path}?side=allow`)).text).toBe('192.0.2.5\n');
    expect((await get(made, `${path}?family=6`)).text).toBe('2001:db8:1::/48\n');
    expect((await get(made, `${path}?family=4`)).text.split('\n')).toHaveLength(10);
    expect((await get(made, `${path}?side=allow&family=6`)).text).toBe('');
  });

  it('as ranges has the fewest lines', async () => {
    const made = await scene();
    const { policyId } = await ipPolicy(made);
    const answer = await get(made, `/policies/${policyId}/exports/addresses?format=ranges`);
    expect(answer.text.split('\n')).toEqual([
      '192.0.2.0-192.0.2.4',
      '192.0.2.6-192.0.2.191',
      '203.0.113.7-203.0.113.7',
      '2001:db8:1::-2001:db8:1:ffff:ffff:ffff:ffff:ffff',
      '',
    ]);
  });
});

describe('a list of names', () => {
  it('has the names that are blocked themselves, and on request what is blocked below', async () => {
    const made = await scene();
    const { policyId } = await dnsPolicy(made);
    const path = `/policies/${policyId}/exports/domains`;
    const linesOf = async (url: string) => (await get(made, url)).text.split('\n').sort();
    expect(await linesOf(path)).toEqual(['', 'evil.example', 'one.example']);
    expect(await linesOf(`${path}?wildcards=true`)).toEqual([
      '',
      '*.evil.example',
      '*.low.example',
      'evil.example',
      'one.example',
    ]);
  });
});

describe('a threat list', () => {
  const HEADER = 'IOC,Category,SubCategory,Severity,FirstSeen,LastSeen,Geo,IOC Type';

  it('has every indicator that blocks once, with its member and when it was seen', async () => {
    const made = await scene();
    const { policyId, targetId } = await dnsPolicy(made);
    const second = await makeTarget(
      made,
      'more',
      'evil.example\nns:x\nlate.example\n'.replace('ns:x\n', ''),
      {
        attributes: { threatType: 'phishing', severity: 2 },
      },
    );
    await made.ok('POST', `/policies/${policyId}/attachments`, { kind: 'target', id: second });
    made.time.now += 3_600_000;
    await made.ok('PATCH', `/targets/${targetId}/indicators`, {
      add: ['new.example', 'evil.example'],
    });
    const { text } = await get(made, `/policies/${policyId}/exports/threats`);
    const [header, ...rows] = text.split('\r\n');
    expect(header).toBe(HEADER);
    const at = (hour: number) => `2030-01-31T${hour}:00:00.000Z`;
    expect(rows.toSorted()).toEqual(
      [
        '',
        `*.low.example,malware,evil,4,${at(12)},${at(12)},,wildcard`,
        `198.51.100.0/24,malware,evil,4,${at(12)},${at(12)},,cidr`,
        `evil.example,malware,evil,4,${at(12)},${at(13)},,domain`,
        `late.example,phishing,more,2,${at(12)},${at(12)},,domain`,
        `new.example,malware,evil,4,${at(13)},${at(13)},,domain`,
        `one.example,malware,evil,4,${at(12)},${at(12)},,hostname`,
      ].toSorted(),
    );
  });

  it('of an IP policy has addresses only, and nothing that is allowed', async () => {
    const made = await scene();
    const { policyId, targetId } = await ipPolicy(made);
    await made.ok('PATCH', `/targets/${targetId}/indicators`, { add: ['192.0.2.5'] });
    const { text } = await get(made, `/policies/${policyId}/exports/threats`);
    const iocs = text
      .split('\r\n')
      .slice(1, -1)
      .map((row) => row.split(',')[0]);
    expect(iocs.toSorted()).toEqual(
      ['192.0.2.0/25', '192.0.2.128/26', '2001:db8:1::/48', '203.0.113.7'].toSorted(),
    );
  });

  it('quotes what needs it, and leaves a spreadsheet nothing to carry out', async () => {
    const made = await scene();
    const id = await makeTarget(made, '=HYPERLINK("x"),y', 'evil.example\n-dash.example\n', {
      attributes: { threatType: '+sum', severity: 1 },
    });
    const policyId = await make(made, 'policy', '/policies', {
      name: 'csv',
      type: 'dns',
      attachments: [{ kind: 'target', id }],
    });
    const { text } = await get(made, `/policies/${policyId}/exports/threats`);
    expect(text).toContain(`\r\nevil.example,'+sum,"'=HYPERLINK(""x""),y",1,`);
    expect(text).toContain(`\r\n'-dash.example,'+sum,`);
  });

  it('is sent again when a source was told anew, though no zone changed', async () => {
    const made = await scene();
    const { policyId, targetId } = await dnsPolicy(made);
    const path = `/policies/${policyId}/exports/threats`;
    const first = await get(made, path);
    const zones = await get(made, `/policies/${policyId}/exports/rpz`);
    made.time.now += 60_000;
    const { zones: changed } = await made.ok('PATCH', `/targets/${targetId}/indicators`, {
      add: ['evil.example'],
    });
    expect(changed).toEqual([]);
    const again = await get(made, path, { 'if-none-match': String(first.headers.etag) });
    expect(again.status).toBe(200);
    expect(again.text).toContain('2030-01-31T12:01:00.000Z');
    const same = { 'if-none-match': String(zones.headers.etag) };
    expect((await get(made, `/policies/${policyId}/exports/rpz`, same)).status).toBe(304);
  });
});

describe('Suricata rules', () => {
  /** One rule: action, header, options; each option ends in a semicolon. */
  const RULE =
    /^(alert|drop|pass) (dns any any -> any any|ip \[[0-9a-f.:/,]+\] any <> any any) \(msg:"((?:[^"\\;]|\\[":;\\])*)"; (?:[a-z.]+(?::(?:"[^"\\;]*"|[>0-9]+))?; )*sid:(\d+); rev:1;\)$/;

  function readRules(text: string) {
    const rules = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return rules.map((rule) => {
      const match = RULE.exec(rule);
      expect(match, rule).not.toBeNull();
      return { rule, action: match![1]!, sid: Number(match![4]) };
    });
  }

  it('match a name with what is below it, a name alone, or only what is below', async () => {
    const made = await scene();
    const { policyId } = await dnsPolicy(made);
    const { text } = await get(made, `/policies/${policyId}/exports/suricata`);
    expect(text).toMatch(/^# rpz\.corp\.acme\.sluice\.internal at serial \d+\n/);
    const rules = readRules(text).map(({ rule }) =>
      rule.replace(/.*msg:"([^"]*)"; /, '').replace(/sid.*/, ''),
    );
    expect(rules.toSorted()).toEqual(
      [
        'dns.query; content:".low.example"; endswith; nocase; ',
        'dns.query; content:"one.example"; bsize:11; nocase; ',
        'dns.query; dotprefix; content:".evil.example"; endswith; nocase; ',
        'dns.query; dotprefix; content:".ok.evil.example"; endswith; nocase; ',
      ].toSorted(),
    );
    const pass = readRules(text).filter(({ action }) => action === 'pass');
    expect(pass.map(({ rule }) => rule)).toEqual([expect.stringContaining('ok.evil.example')]);
  });

  it('of an IP policy are groups of blocked prefixes, to alert or to drop', async () => {
    const made = await scene();
    const { policyId } = await ipPolicy(made);
    const path = `/policies/${policyId}/exports/suricata`;
    const { text } = await get(made, `${path}?action=drop`);
    const rules = readRules(text);
    expect(new Set(rules.map(({ action }) => action))).toEqual(new Set(['drop']));
    expect(text).toContain('2001:db8:1::/48');
    expect(text).not.toContain('192.0.2.5');
    expect((await get(made, path)).text.replaceAll(/^alert/gm, 'drop')).toBe(text);
  });

  it('keep their sids when others come and go, and no two have the same', async () => {
    const made = await scene();
    const names = Array.from({ length: 3_000 }, (_, index) => `n${index}.example`);
    const addresses = Array.from(
      { length: 5_000 },
      (_, index) => `10.${index % 250}.${index >> 8}.${index & 254}`,
    );
    const id = await makeTarget(made, 'many', [...names, ...new Set(addresses)].join('\n'));
    for (const type of ['dns', 'ip']) {
      const policyId = await make(made, 'policy', '/policies?confirm=true', {
        name: type,
        type,
        attachments: [{ kind: 'target', id }],
      });
      const sidsOf = async () => {
        const { text } = await get(made, `/policies/${policyId}/exports/suricata`);
        return new Map(readRules(text).map(({ rule, sid }) => [rule.replace(/sid.*/, ''), sid]));
      };
      const before = await sidsOf();
      expect(new Set(before.values()).size).toBe(before.size);
      await made.ok('PATCH', `/targets/${id}/indicators?confirm=true`, {
        add: [`fresh-${type}.example`, type === 'dns' ? '10.255.0.1' : '10.255.7.9'],
        remove: [type === 'dns' ? 'n7.example' : addresses[7]!],
      });
      const after = await sidsOf();
      const kept = [...before].filter(([rule]) => after.has(rule));
      expect(kept.length).toBeGreaterThan(before.size - 5);
      for (const [rule, sid] of kept) expect(after.get(rule), rule).toBe(sid);
    }
  });
});

describe('the exports of a device', () => {
  it('are what it is assigned, under its own zone name, and follow a reassignment', async () => {
    const made = await scene();
    const { policyId } = await dnsPolicy(made);
    const quiet = await make(made, 'policy', '/policies', { name: 'quiet', type: 'dns' });
    const id = await make(made, 'device', '/devices', { name: 'one', type: 'dns', policyId });
    const path = `/devices/${id}/exports`;
    const zone = await get(made, `${path}/rpz`);
    expect(zone.text).toContain('$ORIGIN rpz.one.dev.acme.sluice.internal.\n');
    expect(zone.text).toContain('\nevil.example CNAME .\n');
    expect((await get(made, `${path}/threats`)).text).toContain('\r\nevil.example,malware,evil,4,');
    await made.ok('PUT', `/devices/${id}/policy`, { policyId: quiet });
    const etag = { 'if-none-match': String(zone.headers.etag) };
    const after = await get(made, `${path}/rpz`, etag);
    expect(after.status).toBe(200);
    expect(after.text).not.toContain('evil.example');
  });

  it('are empty while it is assigned nothing', async () => {
    const made = await scene();
    const dns = await make(made, 'device', '/devices', { name: 'one', type: 'roaming' });
    const ip = await make(made, 'device', '/devices', { name: 'two', type: 'ip' });
    const text = async (path: string) => (await get(made, path)).text;
    expect(await text(`/devices/${dns}/exports/rpz`)).toMatch(/NS localhost\.\n\$TTL \d+\n$/);
    expect(await text(`/devices/${dns}/exports/domains`)).toBe('');
    expect(await text(`/devices/${ip}/exports/addresses`)).toBe('');
    expect((await text(`/devices/${ip}/exports/threats`)).split('\r\n')).toHaveLength(2);
    expect(await text(`/devices/${ip}/exports/suricata`)).not.toMatch(/^[^#\n]/m);
  });

  it('of a predefined policy may be read by every account', async () => {
    const made = await scene();
    const policy = await made.asServer((edit) =>
      createPolicy(edit, { name: 'base', type: 'dns', predefined: true, attachments: [] }),
    );
    expect((await get(made, `/policies/${policy.id}/exports/rpz`)).status).toBe(200);
  });
});
