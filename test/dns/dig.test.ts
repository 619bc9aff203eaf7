import { execFile, spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatRdata } from '../../src/dns/format-rdata.ts';
import { type Message, type ResourceRecord, readMessage } from '../../src/dns/message.ts';
import { createMessageWriter } from '../../src/dns/message-writer.ts';
import { formatName, parseName } from '../../src/dns/name.ts';
import { parseRdata } from '../../src/dns/parse-rdata.ts';
import { encodeRdata } from '../../src/dns/rdata.ts';
import { CLASS, RCODE, RRTYPE } from '../../src/dns/registry.ts';
import {
  createResponseSigner,
  type ResponseSigner,
  type TsigKey,
  type TsigVerdict,
  verifyRequest,
} from '../../src/dns/tsig.ts';
import { freePort } from '../support/free-port.ts';
import { ALL_ALGORITHMS, key } from './tsig-cases.ts';

/**
 * BIND's dig and Knot's kdig against a server of a few lines: they sign and verify by themselves,
 * and print what they read. Skipped where they are not installed.
 */
const run = promisify(execFile);
const installed = (tool: string) => spawnSync(tool, ['-v']).error === undefined;
const hasDig = installed('dig');
const tools = ['dig', 'kdig'].filter(installed);

const zone = parseName('Zone.Example.');
const record = (type: number, text: string, name = zone): ResourceRecord => ({
  name,
  type,
  class: CLASS.IN,
  ttl: 60,
  rdata: encodeRdata(parseRdata(type, text)),
});
const soa = record(RRTYPE.SOA, 'ns.zone.example. hostmaster.zone.example. 7 900 300 1209600 60');

/** As dig prints them. */
const texts: readonly (readonly [number, string])[] = [
  [RRTYPE.A, '192.0.2.1'],
  [RRTYPE.AAAA, '2001:db8::1:0:0:1'],
  [RRTYPE.AAAA, '::ffff:192.0.2.1'],
  [RRTYPE.NS, 'a\\.b\\@\\$\\000\\255.c\\\\d.example.'],
  [RRTYPE.PTR, '*._x.example.'],
  [RRTYPE.CNAME, '.'],
  [RRTYPE.MX, '10 mail.zone.example.'],
  [RRTYPE.TXT, '"v=1 side=block" "q\\"\\\\\\009;é$@"'.replace('é', '\\195\\169')],
  [RRTYPE.APL, '1:192.0.2.0/24 !1:192.0.2.128/25 2:2001:db8::/32 1:0.0.0.0/0'],
  [65280, '\\# 3 0102FF'],
];

const answers: Record<number, ResourceRecord[]> = {};
for (const [type, text] of texts) (answers[type] ??= []).push(record(type, text));

/** The rdata lines of a section of dig's output. */
const rdataOf = (output: string) =>
  output.split('\n').filter((line) => /^\S.*\sIN\s/.test(line) && !line.startsWith(';'));

let udp: Socket;
let tcp: Server;
let port = 0;
/** What the server does with the next requests. */
let keys: TsigKey[] = [key];
let clockOffset = 0;
let spoil = false;
const verdicts: TsigVerdict[] = [];

const now = () => Math.floor(Date.now() / 1000) + clockOffset;

/** All messages of the answer to one request, in order. */
function answerTo(bytes: Uint8Array): Uint8Array[] {
  const message = readMessage(bytes) as Message;
  const verdict = verifyRequest({
    bytes,
    message,
    findKey: (name) =>
      keys.find((one) => formatName(one.name).toLowerCase() === formatName(name).toLowerCase()),
    nowSeconds: now(),
    allowedAlgorithms: ALL_ALGORITHMS,
  });
  verdicts.push(verdict);
  const signer = createResponseSigner(verdict, now);
  const [question] = message.questions;
  const rcode = verdict.kind === 'invalid' ? verdict.rcode : RCODE.NOERROR;
  const parts = question.type === RRTYPE.AXFR ? axfrParts() : [answers[question.type] ?? [soa]];
  return (rcode === RCODE.NOERROR ? parts : [[]]).map((records) =>
    writeAnswer(message, { rcode, records, signer }),
  );
}

function writeAnswer(
  request: Message,
  {
    rcode,
    records,
    signer,
  }: { rcode: number; records: ResourceRecord[]; signer: ResponseSigner | null },
): Uint8Array {
  const buffer = new Uint8Array(20_000);
  const writer = createMessageWriter(buffer);
  writer.start({ id: request.id, isResponse: true, authoritative: true, rcode });
  writer.question(request.questions[0]);
  for (const one of records) writer.record('answer', one);
  const length = writer.finish();
  const signedLength = signer?.sign(buffer, 0, length) ?? length;
  if (spoil) buffer[length - 1] ^= 1;
  return buffer.slice(0, signedLength);
}

/** A zone in twelve messages. */
function axfrParts(): ResourceRecord[][] {
  const parts = Array.from({ length: 12 }, (_, part) =>
    Array.from({ length: 400 }, (_, i) =>
      record(RRTYPE.CNAME, 'rpz-drop.', parseName(`host${i}.part${part}`, zone)),
    ),
  );
  parts[0].unshift(soa);
  parts[11].push(soa);
  return parts;
}

beforeAll(async () => {
  udp = createSocket('udp4', (bytes, peer) => {
    for (const message of answerTo(bytes)) udp.send(message, peer.port, peer.address);
  });
  tcp = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE()) return;
      for (const message of answerTo(received.subarray(2))) {
        socket.write(Uint8Array.of(message.length >> 8, message.length & 0xff));
        socket.write(message);
      }
    });
  });
  port = await freePort();
  await new Promise<void>((resolve) => tcp.listen(port, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve));
});

afterAll(() => {
  udp.close();
  tcp.close();
});

async function ask(tool: string, args: readonly string[]): Promise<string> {
  const server = ['@127.0.0.1', '-p', String(port)];
  const { stdout, stderr } = await run(tool, [...server, ...args], { timeout: 15_000 }).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  return stdout + stderr;
}

const credentials = (by: TsigKey) =>
  [
    '-y',
    `${by.algorithm}:${formatName(by.name)}:${Buffer.from(by.secret).toString('base64')}`,
  ] as const;
const complaint = /could not be validated|verify failure|tsig error|TSIG error|WARNING|failed/i;

describe.skipIf(!hasDig)('dig', () => {
  it.each([...new Set(texts.map(([type]) => type))])(
    'prints type %i as formatRdata does',
    async (type) => {
      const output = await ask('dig', [
        '+norec',
        '+noall',
        '+answer',
        formatName(zone),
        `TYPE${type}`,
      ]);
      const printed = rdataOf(output).map((line) => line.split(/\s+/).slice(4).join(' '));
      const ours = answers[type].map(({ rdata }) => formatRdata(type, rdata));
      // Hex digits have no case that matters; dig writes them in capitals.
      const comparable = type === 65280 ? ours.map((text) => text.toUpperCase()) : ours;
      expect(printed).toEqual(comparable);
      expect(comparable).toEqual(texts.filter(([of]) => of === type).map(([, text]) => text));
    },
  );

  it('keeps the case of the owner as the answer has it', async () => {
    const output = await ask('dig', ['+norec', '+noall', '+answer', 'Zone.Example.', 'A']);
    expect(rdataOf(output)[0]).toMatch(/^Zone\.Example\./);
  });
});

describe.skipIf(tools.length === 0)('TSIG with dig and kdig', () => {
  const cases = tools.flatMap((tool) =>
    ALL_ALGORITHMS.map((algorithm) => [tool, algorithm] as const),
  );

  it.each(cases)(
    '%s verifies answers signed by %s, and ours verifies its requests',
    async (tool, algorithm) => {
      keys = [{ ...key, algorithm }];
      for (const transport of ['+notcp', '+tcp']) {
        const output = await ask(tool, [
          '+norec',
          transport,
          ...credentials(keys[0]),
          formatName(zone),
          'A',
        ]);
        expect(output).toContain('192.0.2.1');
        expect(output).not.toMatch(complaint);
        expect(verdicts.pop()).toMatchObject({ kind: 'valid' });
      }
    },
  );

  it.each(tools)('%s verifies a transfer of many messages', async (tool) => {
    keys = [key];
    const output = await ask(tool, [...credentials(key), formatName(zone), 'AXFR']);
    expect(output.match(/IN\s+CNAME\s+rpz-drop\./g)).toHaveLength(4800);
    expect(output).not.toMatch(complaint);
  });

  it.each(tools)('%s complains when an answer was changed on its way', async (tool) => {
    keys = [key];
    spoil = true;
    try {
      const output = await ask(tool, [
        '+norec',
        '+tcp',
        ...credentials(key),
        formatName(zone),
        'A',
      ]);
      expect(output).not.toContain('Usage');
      expect(output).toMatch(complaint);
    } finally {
      spoil = false;
    }
  });

  it.skipIf(!hasDig)('dig verifies a BADTIME answer and shows the error', async () => {
    keys = [key];
    clockOffset = 5000;
    try {
      const output = await ask('dig', [
        '+norec',
        '+tries=1',
        ...credentials(key),
        formatName(zone),
        'A',
      ]);
      expect(verdicts.pop()).toMatchObject({ kind: 'invalid', error: RCODE.BADTIME });
      expect(output).toContain('BADTIME');
      expect(output).toMatch(/clocks are unsynchronized|BADTIME 6/);
    } finally {
      clockOffset = 0;
    }
  });

  it.skipIf(!hasDig)('dig shows BADKEY and BADSIG from unsigned answers', async () => {
    keys = [];
    expect(
      await ask('dig', ['+norec', '+tries=1', ...credentials(key), formatName(zone), 'A']),
    ).toContain('BADKEY');
    keys = [{ ...key, secret: Uint8Array.of(1) }];
    expect(
      await ask('dig', ['+norec', '+tries=1', ...credentials(key), formatName(zone), 'A']),
    ).toContain('BADSIG');
  });
});
