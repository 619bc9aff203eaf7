import { describe, expect, it } from 'vitest';
import { ConfigurationError, parseConfig } from '../../src/config/index.ts';

/** What is told about a file, a line for each problem. */
function refusal(source: string): string[] {
  try {
    parseConfig(source, 'f');
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('a wrong configuration', () => {
  it.each([
    [
      'dns:\n  listen:\n    - address: 127.0.0.1\n      port: 99999',
      'f:4:13: dns.listen[0].port: 99999 is not a port (1-65535)',
    ],
    [
      'dns:\n  listen:\n    - {address: localhost, port: 53}',
      'f:3:17: dns.listen[0].address: localhost is not an IPv4 or IPv6 address',
    ],
    [
      'dns:\n  listen:\n    - {address: "fe80::1%eth0", port: 53}',
      'f:3:17: dns.listen[0].address: fe80::1%eth0 is not an IPv4 or IPv6 address',
    ],
    [
      'dns:\n  listen:\n    - address: 127.0.0.1',
      'f:3:7: dns.listen[0].port: is missing: it must be a port (1-65535)',
    ],
    ['dns:\n  listen: []', 'f:2:11: dns.listen: has 0 items: it must have 1-16'],
    [
      'dns:\n  listen: 127.0.0.1:5300',
      'f:2:11: dns.listen: must be a list, one item to a line after a dash',
    ],
    [
      'dns:\n  listen:\n    - {address: "::1", port: 53}\n    - {port: 53, address: "::1"}',
      'f:4:7: dns.listen[1]: is the same as dns.listen[0]',
    ],
    [
      'dns:\n  listen:\n    - 127.0.0.1',
      'f:3:7: dns.listen[0]: must be a group of keys, each with its value',
    ],
    ['dns: on', 'f:1:6: dns: must be a group of keys, each with its value'],
    [
      'account: [a]',
      'f:1:10: account: is a list: it must be an account label (1-16 letters, digits and inner hyphens)',
    ],
    [
      'account: {a: b}',
      'f:1:10: account: is a group of keys: it must be an account label (1-16 letters, digits and inner hyphens)',
    ],
    [
      'account:',
      'f:1:9: account: has no value: it must be an account label (1-16 letters, digits and inner hyphens)',
    ],
    [
      'account: seventeen-letters',
      'f:1:10: account: seventeen-letters is not an account label (1-16 letters, digits and inner hyphens)',
    ],
    [
      'account: -a',
      'f:1:10: account: -a is not an account label (1-16 letters, digits and inner hyphens)',
    ],
    [
      'account: a.b',
      'f:1:10: account: a.b is not an account label (1-16 letters, digits and inner hyphens)',
    ],
    ['sampleCatalogue: yes', 'f:1:18: sampleCatalogue: yes is not true or false'],
    [
      'log:\n  level: loud',
      'f:2:10: log.level: loud is not one of trace, debug, info, warn, error, fatal, silent',
    ],
    ['dataDirectory: ""', 'f:1:16: dataDirectory: "" is not text of 1-1024 characters on one line'],
    [
      'journal:\n  revisionsMax: 0',
      'f:2:17: journal.revisionsMax: 0 is not a whole number (1-100000)',
    ],
    [
      'journal:\n  revisionsMax: 1e2',
      'f:2:17: journal.revisionsMax: 1e2 is not a whole number (1-100000)',
    ],
    [
      'notify:\n  timeout: 3',
      'f:2:12: notify.timeout: 3 is not a duration (100ms to 1m): it has no unit, write one of ms, s, m, h, d',
    ],
    [
      'notify:\n  timeout: 3 sec',
      'f:2:12: notify.timeout: 3 sec is not a duration (100ms to 1m): sec is not a unit, write one of ms, s, m, h, d',
    ],
    ['notify:\n  timeout: 2m', 'f:2:12: notify.timeout: 2m is not a duration (100ms to 1m)'],
    [
      'policies:\n  ttl: 1500ms',
      'f:2:8: policies.ttl: 1500ms is not a duration of whole seconds (1s to 1d)',
    ],
    [
      'transfer:\n  frameCacheMax: 1 MB',
      'f:2:18: transfer.frameCacheMax: 1 MB is not a size (1 MiB to 64 GiB): MB is not a unit, write one of B, KiB, MiB, GiB',
    ],
    [
      'dns:\n  udpPayloadMax: 400 B',
      'f:2:18: dns.udpPayloadMax: 400 B is not a size (512 B to 4096 B)',
    ],
    [
      'soa:\n  expire: 13d',
      'f:2:11: soa.expire: 13d is not a duration of whole seconds (14d to 365d)',
    ],
    ['soa:\n  ns: a..b', 'f:2:7: soa.ns: a..b is not a domain name'],
    [
      'soa:\n  hostmaster: me@example.com',
      'f:2:15: soa.hostmaster: me@example.com is not a domain name',
    ],
    ['soa:\n  ns: ns<root>', 'f:2:7: soa.ns: ns<root> is not a domain name'],
    ['soa:\n  ns: <root>.example', 'f:2:7: soa.ns: <root>.example is not a domain name'],
  ])('%j is refused with file, line, column, setting and rule', (source, expected) => {
    expect(refusal(source)).toEqual([expected]);
  });

  it.each([
    ['corp.local', '.local belongs to multicast DNS (RFC 6762 section 3)'],
    ['test', 'resolvers answer .test by themselves (RFC 6761 section 6.2)'],
    ['Sluice.TEST.', 'resolvers answer .test by themselves (RFC 6761 section 6.2)'],
    ['a.localhost', 'resolvers answer .localhost by themselves (RFC 6761 section 6.3)'],
    ['a.invalid', 'resolvers answer .invalid by themselves (RFC 6761 section 6.4)'],
    [`${'a'.repeat(50)}.b`, 'it has 54 octets'],
    ['a_b.example', 'its label "a_b" is not a host name label'],
    ['a..example', 'its label "" is not a host name label'],
    ['-a.example', 'its label "-a" is not a host name label'],
  ])('the root %s is refused and the reason given', (root, why) => {
    const [line, ...more] = refusal(`root: ${root}`);
    expect(more).toEqual([]);
    expect(line).toMatch(/^f:1:7: root: /);
    expect(line.endsWith(`: ${why}`)).toBe(true);
  });

  it('takes a root of exactly 52 octets on the wire', () => {
    // 1 + 48 for the first label, 1 + 1 for the second, 1 for the root of the tree.
    const root = `${'a'.repeat(48)}.b`;
    expect(parseConfig(`root: ${root}`, 'f').root).toBe(root);
    expect(refusal(`root: a${root}`)).toHaveLength(1);
  });

  it.each([
    ['dns:\n  lisen: []', 'f:2:3: dns.lisen: is not known here, did you mean listen?'],
    ['dsn:\n  listen: []', 'f:1:1: dsn: is not known here, did you mean dns?'],
    [
      'idleTimeout: 3s',
      'f:1:1: idleTimeout: is not known here, did you mean dns.tcp.idleTimeout or http.sessions.idleTimeout?',
    ],
    [
      'tsig:\n  md5:\n    allowed: 1',
      'f:2:3: tsig.md5: is not known here: known here are allowSha1, allowMd5, retireAfter',
    ],
    [
      'notify:\n  timeoutMs: 3',
      'f:2:3: notify.timeoutMs: is not known here, did you mean timeout?',
    ],
    [
      '__proto__: {}\nconstructor: 1',
      'f:1:1: __proto__: is not known here: known here are root, account, dataDirectory, sampleCatalogue, dns, tsig, soa, zones, policies, changes, journal, transfer, notify, convergence, process, lookup, feeds, http, log',
    ],
  ])('%j has a key that nobody knows, and the nearest is offered', (source, expected) => {
    expect(refusal(source)[0]).toBe(expected);
  });

  it('refuses a key that is given twice, and points at both', () => {
    expect(refusal('account: a\nroot: b.example\n\naccount: c\n')).toEqual([
      'f:4:1: account: is given twice, first in line 1',
    ]);
    expect(refusal('soa:\n  retry: 60s\n  retry: 70s\n')).toEqual([
      'f:3:3: soa.retry: is given twice, first in line 2',
    ]);
  });

  it.each([
    ['account: "a', 'f:1:12: Missing closing "quote'],
    ['account: a\n---\naccount: b', 'f:2:1: Source contains multiple documents'],
    ['account: !secret a', 'f:1:10: Unresolved tag: !secret'],
    ['account: &a x\ndataDirectory: *a', 'f:2:16: aliases (*name) are not read here'],
    ['? [a]\n: 1', 'f:1:3: a key must be plain text'],
    [`dns: ${'['.repeat(40)}${']'.repeat(40)}`, 'f:1:22: nested more than 16 levels deep'],
    ['- account: a', 'f:1:1: must be a group of keys'],
  ])('%j is not the YAML that is read here', (source, start) => {
    expect(refusal(source).some((line) => line.startsWith(start))).toBe(true);
  });

  it('says nothing about settings while the text is no YAML, since it could only guess', () => {
    expect(refusal('acount: x\nlog: {level: loud\n')).toEqual([
      expect.stringMatching(/^f:3:1: Flow map/),
    ]);
  });

  it('tells all problems at once, in the order of the file', () => {
    const source = [
      'root: corp.local', // 1
      'acount: a', // 2
      'http:', // 3
      '  listen:', // 4
      '    address: 0.0.0.0', // 5
      '    port: 0', // 6
      'soa:', // 7
      '  retry: 1h', // 8
      '  expire: soon', // 9
      'log: {level: loud, format: xml}', // 10
    ].join('\n');
    expect(refusal(source).map((line) => line.split(': ').slice(0, 2).join(' '))).toEqual([
      'f:1:7 root',
      'f:2:1 acount',
      'f:5:14 http.listen.address',
      'f:6:11 http.listen.port',
      'f:8:10 soa.retry',
      'f:9:11 soa.expire',
      'f:10:14 log.level',
      'f:10:28 log.format',
    ]);
  });

  it('never puts more of a value into a message than fits on a line', () => {
    const [line] = refusal(`account: "${'x'.repeat(500)}\\n\\u0007"`);
    expect(line.length).toBeLessThan(160);
    expect(refusal('account: "a\\u0007\\nb"')).toEqual([
      'f:1:10: account: "a\\u0007\\nb" is not an account label (1-16 letters, digits and inner hyphens)',
    ]);
  });
});

describe('settings that are wrong together', () => {
  it.each(['0.0.0.0', '"::"', '192.0.2.1', '"2001:db8::1"'])(
    'the admin API is not opened on %s unless that is said explicitly',
    (address) => {
      const source = `http:\n  listen:\n    address: ${address}\n`;
      expect(refusal(source)).toEqual([
        `f:3:14: http.listen.address: ${address.replaceAll('"', '')} can be reached from other machines: use 127.0.0.1 or ::1, or set http.allowRemote to true`,
      ]);
      expect(refusal(`${source}  allowRemote: true\n`)).toEqual([]);
    },
  );

  it.each(['127.0.0.1', '127.8.9.10', '"::1"'])('%s needs no such word', (address) => {
    expect(refusal(`http: {listen: {address: ${address}}}`)).toEqual([]);
  });

  it.each([
    ['soa:\n  retry: 900s', 'f:2:10: soa.retry: retry (900s) must be shorter than refresh (900s)'],
    [
      'soa:\n  refresh: 5m',
      'f:2:12: soa.refresh: retry (300s) must be shorter than refresh (300s)',
    ],
    [
      'dns: {tcp: {connectionsMax: 10}}',
      'f:1:29: dns.tcp.connectionsMax: connectionsPerClientMax (64) must not be above connectionsMax (10)',
    ],
    [
      'dns: {transfers: {runningPerClientMax: 200}}',
      'f:1:40: dns.transfers.runningPerClientMax: runningPerClientMax (200) must not be above runningMax (100)',
    ],
    [
      'http: {tls: {keyFile: server.key}}',
      'f:1:23: http.tls.keyFile: certificateFile and keyFile are given both or not at all',
    ],
    [
      'http: {sessions: {lifetime: 30m}}',
      'f:1:29: http.sessions.lifetime: idleTimeout must not be longer than lifetime',
    ],
    [
      'http: {openid: {clientId: sluice}}',
      'f:1:27: http.openid.clientId: issuer, clientId and redirectUri are given together',
    ],
    [
      'http: {openid: {issuer: https://id.example, clientId: a, redirectUri: https://a.example/}}',
      'f:1:71: http.openid.redirectUri: the path of redirectUri must end in /api/v1/session/openid/callback',
    ],
    [
      'http: {openid: {scopes: email}}',
      'f:1:25: http.openid.scopes: openid must be one of the scopes',
    ],
    [
      'http: {openid: {roles: [{value: admins, role: admin}]}}',
      'f:1:24: http.openid.roles: roles are given for values of roleClaim, which is none',
    ],
    [
      'http: {openid: {createUsers: true}}',
      'f:1:30: http.openid.createUsers: createUsers needs defaultRole or roleClaim: new users have a role',
    ],
    [
      'process: {group: sluice}',
      'f:1:18: process.group: group needs user: without it the process keeps its user and its group',
    ],
  ])('%j is refused at the setting that the file names', (source, expected) => {
    expect(refusal(source)).toEqual([expected]);
  });

  it('a name that only the root makes too long is refused', () => {
    const label = 'x'.repeat(60);
    const source = `root: ${'r'.repeat(40)}.example\nsoa:\n  ns: ${`${label}.`.repeat(3)}${'y'.repeat(30)}.<root>\n`;
    expect(refusal(source)).toEqual([
      expect.stringMatching(/^f:3:7: soa\.ns: .* is longer than 255 octets on the wire$/),
    ]);
  });

  it('says nothing about a setting that is wrong by itself already', () => {
    expect(refusal('soa:\n  retry: 1h\n  refresh: never\n')).toEqual([
      'f:3:12: soa.refresh: never is not a duration of whole seconds (10s to 7d)',
    ]);
  });
});
