import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import {
  servePolicy,
  startTestSluice,
  type TestSluice,
  temporaryDirectory,
} from '../support/test-sluice.ts';
import {
  type Endpoint,
  findProgram,
  keepPeersTidy,
  requirePeer,
  startNamed,
} from './peers/index.ts';

const TOOLS = ['dig', 'kdig'] as const;
type Tool = (typeof TOOLS)[number];

const SECRET = '7c1f0d2e3b4a59687786a5b4c3d2e1f0';
const EXPIRE_SECONDS = 1_209_600;

const installed = requirePeer('named', ...TOOLS);
keepPeersTidy();

/** What the tool prints, on both streams; it asks once. */
function run(tool: Tool, { address, port }: Endpoint, ...args: string[]): Promise<string> {
  const once = tool === 'dig' ? ['+tries=1', '+time=5'] : ['+retry=0', '+time=5'];
  return new Promise((resolve) => {
    execFile(
      findProgram(tool) ?? tool,
      [`@${address}`, '-p', String(port), ...once, ...args],
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
  });
}

/** The COOKIE option of an answer in hexadecimal digits, as either tool shows it. */
function cookieIn(output: string): string {
  return /COOKIE: ([0-9a-f]+)/i.exec(output)?.[1].toLowerCase() ?? '';
}

interface Scene extends TestSluice {
  readonly zone: string;
}

async function openScene(dns: readonly string[] = []): Promise<Scene> {
  const server = await startTestSluice({
    yaml: ['sampleCatalogue: false', 'dns:', ...dns.map((line) => `  ${line}`)].join('\n'),
  });
  const lines = Array.from({ length: 2_000 }, (_, at) => `n${at}.example`);
  const { zone } = await servePolicy(server, { name: 'corp', type: 'dns', lines });
  return { ...server, zone };
}

function cookieSettings(required: boolean): string[] {
  const secretFile = join(temporaryDirectory(), 'cookie-secrets');
  writeFileSync(secretFile, `${SECRET}\n`, { mode: 0o600 });
  return [`cookies: { required: ${required}, secretFile: '${secretFile}' }`];
}

describe.skipIf(!installed)('cookies with dig and kdig (RFC 7873)', () => {
  it.each(TOOLS)('%s learns one and is accepted with it where it is required', async (tool) => {
    const { dns, zone } = await openScene(cookieSettings(true));
    const client = '0123456789abcdef';
    const first = await run(tool, dns, zone, 'SOA', `+cookie=${client}`, '+nobadcookie');
    expect(first).toMatch(/status: BADCOOKIE/);
    const learnt = cookieIn(first);
    expect(learnt).toMatch(new RegExp(`^${client}01000000[0-9a-f]{24}$`));
    const second = await run(tool, dns, zone, 'SOA', `+cookie=${learnt}`, '+nobadcookie');
    expect(second).toMatch(/status: NOERROR/);
    expect(second).toMatch(/\sSOA\s+ns\.sluice\.internal\./);
    expect(cookieIn(second)).toBe(learnt);
    const forged = learnt.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    const third = await run(tool, dns, zone, 'SOA', `+cookie=${forged}`, '+nobadcookie');
    expect(third).toMatch(/status: BADCOOKIE/);
  });

  it.each(TOOLS)('%s comes again by itself when it is told BADCOOKIE', async (tool) => {
    const { dns, zone } = await openScene(cookieSettings(true));
    const output = await run(tool, dns, zone, 'SOA', '+cookie', '+badcookie');
    expect(output).toMatch(/status: NOERROR/);
    expect(output).toMatch(/\sSOA\s+ns\.sluice\.internal\./);
  });

  it.each(TOOLS)('%s comes by TCP when it speaks no cookies', async (tool) => {
    const { dns, zone } = await openScene(cookieSettings(true));
    const output = await run(tool, dns, zone, 'SOA', '+nocookie');
    expect(output).toMatch(/status: NOERROR/);
    expect(output).toMatch(/\(TCP\)|retrying in TCP|retrying over TCP/i);
    expect(output).toMatch(/\sSOA\s+ns\.sluice\.internal\./);
  });

  it('dig calls the cookie good', async () => {
    const { dns, zone } = await openScene();
    expect(await run('dig', dns, zone, 'SOA', '+cookie')).toMatch(/COOKIE: \S+ \(good\)/);
  });
});

describe.skipIf(!installed)('cookies of BIND with the same secret (RFC 9018)', () => {
  it('are accepted by Sluice, and those of Sluice by BIND', async () => {
    const { dns, zone } = await openScene(cookieSettings(true));
    const named = await startNamed({
      extraOptions: `cookie-algorithm siphash24; cookie-secret "${SECRET}"; require-server-cookie yes;`,
      primaries: [
        {
          zone: 'example',
          text: '@ 60 SOA ns.invalid. root.invalid. 1 60 60 600000 60\n@ 60 NS ns.invalid.\n',
        },
      ],
    });
    const ask = (server: Endpoint, name: string, cookie: string) =>
      run('dig', server, '-b', '127.0.0.1', name, 'SOA', `+cookie=${cookie}`, '+nobadcookie');
    const client = 'fedcba9876543210';
    const ofBind = cookieIn(await ask(named, 'example', client));
    const ofSluice = cookieIn(await ask(dns, zone, client));
    expect([ofBind, ofSluice].map((cookie) => cookie.length)).toEqual([48, 48]);
    expect(await ask(dns, zone, ofBind)).toMatch(/status: NOERROR/);
    expect(await ask(named, 'example', ofSluice)).toMatch(/status: NOERROR/);
    // Both refuse what neither has made.
    const foreign = ofBind.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    expect(await ask(dns, zone, foreign)).toMatch(/status: BADCOOKIE/);
    expect(await ask(named, 'example', foreign)).toMatch(/status: BADCOOKIE/);
  });
});

describe.skipIf(!installed)('what dig and kdig ask for besides', () => {
  const IDENTITY = ["identity: { version: 'Sluice, some', id: 'west-2', nsid: 'node 2' }"];

  it.each(TOOLS)('%s +nsid is told the identifier (RFC 5001)', async (tool) => {
    const { dns, zone } = await openScene(IDENTITY);
    expect(await run(tool, dns, zone, 'SOA', '+nsid')).toMatch(/NSID:.*node 2/);
    expect(await run(tool, dns, zone, 'SOA')).not.toMatch(/NSID/);
  });

  it.each(TOOLS)('%s is told id.server and version.bind as configured', async (tool) => {
    const { dns } = await openScene(IDENTITY);
    const ask = (name: string) => run(tool, dns, '-c', 'CH', '-t', 'TXT', '-q', name);
    expect(await ask('id.server')).toMatch(/CH\s+TXT\s+"west-2"/);
    expect(await ask('version.bind')).toMatch(/CH\s+TXT\s+"Sluice, some"/);
    const silent = await openScene();
    const refused = await run(tool, silent.dns, '-c', 'CH', '-t', 'TXT', '-q', 'version.bind');
    expect(refused).toMatch(/status: REFUSED/);
  });

  it.each(TOOLS)('%s +expire is told the EXPIRE of the SOA (RFC 7314)', async (tool) => {
    const { dns, zone } = await openScene();
    const seconds = new RegExp(`EXPIRE: .*${EXPIRE_SECONDS}`, 'i');
    expect(await run(tool, dns, zone, 'SOA', '+expire')).toMatch(seconds);
    // Some versions of kdig show the options of a transfer, dig does not.
    expect(await run(tool, dns, zone, 'AXFR', '+expire')).toMatch(/CNAME\s+\./);
  });

  it('dig +keepalive is told how long connections stay open (RFC 7828)', async () => {
    const { dns, zone } = await openScene(['tcp: { idleTimeout: 7s }']);
    const output = await run('dig', dns, zone, 'SOA', '+tcp', '+keepalive');
    expect(output).toMatch(/TCP.KEEPALIVE: 7\.0 secs/i);
    expect(await run('dig', dns, zone, 'SOA', '+keepalive')).not.toMatch(/KEEPALIVE: \d/i);
  });

  it.each(TOOLS)('%s shows why it is refused (RFC 8914)', async (tool) => {
    const { dns, zone } = await openScene();
    const away = await run(tool, dns, 'www.example', 'A', '+edns');
    expect(away).toMatch(/status: REFUSED/);
    expect(away).toMatch(/EDE: 20 \(Not Authoritative\)/);
    const unsigned = ['-y', `hmac-sha256:nobody.example:${Buffer.alloc(32).toString('base64')}`];
    expect(await run(tool, dns, zone, 'SOA', '+edns', ...unsigned)).toMatch(
      /EDE: 0 \(Other\).*TSIG BADKEY/,
    );
  });
});

describe.skipIf(!installed)('padding over TLS (RFC 7830, RFC 8467)', () => {
  const openTlsScene = async () => {
    const { certificateFile, keyFile } = makeCertificate('sluice.test');
    return openScene([
      'tls:',
      '  listen: [{ address: 127.0.0.1, port: 853 }]',
      `  certificateFile: '${certificateFile}'`,
      `  keyFile: '${keyFile}'`,
    ]);
  };

  it('makes answers to kdig +padding a multiple of 468 octets', async () => {
    const { sluice, zone } = await openTlsScene();
    const [tls] = sluice.dnsTlsAddresses();
    const padded = await run('kdig', tls, zone, 'SOA', '+tls', '+padding');
    expect(padded).toMatch(/status: NOERROR/);
    expect(padded).toMatch(/Received 468 B/);
    expect(padded).toMatch(/PADDING: \d+ B/);
    const plain = await run('kdig', tls, zone, 'SOA', '+tls', '+nopadding', '+edns');
    expect(plain).toMatch(/status: NOERROR/);
    expect(plain).not.toMatch(/PADDING|Received 468 B/);
  });

  it('is taken by kdig in every message of a transfer', async () => {
    const { dns, sluice, zone } = await openTlsScene();
    const [tls] = sluice.dnsTlsAddresses();
    const padded = await run('kdig', tls, zone, 'AXFR', '+tls', '+padding');
    const records = (output: string) => output.match(/\sIN\s+(SOA|NS|CNAME)\s/g)?.length;
    expect(records(padded)).toBeGreaterThan(4_000);
    expect(records(padded)).toBe(records(await run('kdig', dns, zone, 'AXFR')));
    const octets = Number(/Received (\d+) B \((\d+) messages/.exec(padded)?.[1]);
    expect(octets % (9 * 468)).toBe(0);
  });

  it('is not in answers that are not encrypted', async () => {
    const { dns, zone } = await openTlsScene();
    for (const transport of ['+notcp', '+tcp']) {
      const output = await run('kdig', dns, zone, 'SOA', transport, '+padding=200');
      expect(output).toMatch(/status: NOERROR/);
      expect(output).not.toMatch(/PADDING/);
    }
  });
});

describe.skipIf(!installed)('the limit on answers over UDP', () => {
  it('sends dig to TCP, where it gets its answer', async () => {
    const server = await openScene(['rateLimit: { answersPerSecond: 2, slip: 1 }']);
    const questions = Array.from({ length: 12 }, () => [server.zone, 'SOA', '+nocookie']);
    const output = await run('dig', server.dns, ...questions.flat());
    expect(output.match(/\sSOA\s+ns\.sluice\.internal\./g)).toHaveLength(questions.length);
    const retried = output.match(/retrying in TCP mode/g)?.length ?? 0;
    expect(retried).toBeGreaterThan(5);
    expect(await server.metric('sluice_dns_rate_limited_total{what="slipped"}')).toBe(retried);
  });
});
