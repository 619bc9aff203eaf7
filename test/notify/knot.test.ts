import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  CLASS,
  createMessageWriter,
  decodeRdata,
  encodeRdata,
  isMalformed,
  parseName,
  RRTYPE,
  readMessage,
  type Serial,
  serial,
} from '../../src/dns/index.ts';
import type { Handler } from '../../src/nameserver/handler-port.ts';
import { startDnsServer } from '../../src/server/index.ts';
import { udpExchange } from '../server/scene.ts';
import { freePort } from '../support/free-port.ts';
import { scene, sleep, soaOf, until } from './scene.ts';

const KNOTD = '/usr/sbin/knotd';
const ORIGIN = 'knot.example.';
const SILENT = { warn: () => {}, error: () => {} };
const STOP_PATIENCE_MS = 3_000;

const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** Answers SOA queries and transfers of a zone of SOA, NS and nothing else, to anyone. */
function tinyPrimary(current: () => Serial): Handler {
  const buffer = new Uint8Array(4_096);
  const writer = createMessageWriter(buffer);
  return (bytes) => {
    const message = readMessage(bytes);
    const soa = soaOf(current());
    if (isMalformed(message) || soa === null) return { kind: 'none' };
    const [question] = message.questions;
    const { ttl, rdata } = soa;
    const apex = { name: parseName(ORIGIN), class: CLASS.IN, ttl };
    writer.start({ id: message.id, isResponse: true, authoritative: true });
    writer.question(question);
    writer.record('answer', { ...apex, type: RRTYPE.SOA, rdata });
    if (question.type === RRTYPE.AXFR || question.type === RRTYPE.IXFR) {
      const target = encodeRdata({ type: 'NS', target: parseName('localhost.') });
      writer.record('answer', { ...apex, type: RRTYPE.NS, rdata: target });
      writer.record('answer', { ...apex, type: RRTYPE.SOA, rdata });
    }
    return { kind: 'message', bytes: buffer.subarray(0, writer.finish()) };
  };
}

async function startKnot(primaryPort: number, secret: Uint8Array): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-knot-'));
  endings.push(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  await writeFile(
    join(folder, 'knot.conf'),
    `
server:
  rundir: "${folder}"
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stdout
    any: info
database:
  storage: "${folder}"
key:
  - id: device.acme.
    algorithm: hmac-sha256
    secret: ${Buffer.from(secret).toString('base64')}
remote:
  - id: sluice
    address: 127.0.0.1@${primaryPort}
acl:
  - id: notify
    key: device.acme.
    action: notify
template:
  - id: default
    storage: "${folder}"
zone:
  - domain: ${ORIGIN}
    master: sluice
    acl: notify
`,
  );
  const knot = spawn(KNOTD, ['-c', join(folder, 'knot.conf')], { stdio: 'ignore' });
  endings.push(() => stopProcess(knot));
  return port;
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
  await exited;
  clearTimeout(deadline);
}

/** The serial that a server answers with, or null. */
async function serialOf(port: number): Promise<number | null> {
  const query = new Uint8Array(512);
  const writer = createMessageWriter(query);
  writer.start({ id: 1 });
  writer.question({ name: parseName(ORIGIN), type: RRTYPE.SOA, class: CLASS.IN });
  const asked = query.subarray(0, writer.finish());
  const bytes = await udpExchange({ address: '127.0.0.1', port }, asked, 300).catch(() => null);
  const message = bytes === null ? null : readMessage(bytes);
  if (message === null || isMalformed(message) || message.answers.length === 0) return null;
  const { rdata } = message.answers[0];
  const soa = decodeRdata(RRTYPE.SOA, rdata, 0, rdata.length);
  return soa?.type === 'SOA' ? soa.serial : null;
}

describe.runIf(existsSync(KNOTD))('Knot as a secondary', () => {
  it('acknowledges a signed NOTIFY under its key, and comes for the new zone', async () => {
    const { start, publish, served, outbox, acknowledged, logged } = scene();
    served.set(ORIGIN, serial(1));
    const current = (): Serial => served.get(ORIGIN) ?? serial(0);
    const primary = await startDnsServer(
      { listen: [{ address: '127.0.0.1', port: 0 }] },
      tinyPrimary(current),
      SILENT,
    );
    endings.push(() => primary.stop({ deadlineMs: 0 }));
    const secret = randomBytes(32);
    const port = await startKnot(primary.addresses()[0].port, secret);
    while ((await serialOf(port)) !== 1) await sleep(100);

    const key = { name: parseName('device.acme.'), algorithm: 'hmac-sha256', secret } as const;
    const notifier = start({ findKey: () => key, answerTimeoutMs: 1_000 });
    publish({ address: '127.0.0.1', port }, 2, ORIGIN);
    await until(() => outbox.rows().length === 0);
    expect(acknowledged.map((each) => each.serial)).toEqual([2]);
    expect(notifier.statistics()).toMatchObject({ acknowledged: 1, strays: 0, refused: 0 });
    while ((await serialOf(port)) !== 2) await sleep(20);

    // Knot does not sign its refusal of a zone that it does not have: not acceptable by RFC 8945
    // section 5.4, so it is tried again, and the log tells what came.
    publish({ address: '127.0.0.1', port }, 1, 'unknown.example.');
    await until(() => notifier.statistics().timeouts === 1);
    expect(acknowledged).toHaveLength(1);
    expect(logged.at(-1)?.details.trouble).toMatch(
      /^no acceptable answer: unsigned answer, [A-Z]+$/,
    );
  });
});
