import { expect, it, onTestFinished } from 'vitest';
import {
  formatName,
  parseName,
  RCODE,
  type TsigAlgorithm,
  type TsigKey,
} from '../../src/dns/index.ts';
import { apiCaller } from '../support/http-caller.ts';
import { startTestSluice, type TestSluice, temporaryDirectory } from '../support/test-sluice.ts';
import { type Peer, signing, startPeer } from './peer.ts';
import { sleep, until } from './scene.ts';

const ZONE = 'rpz.r1.dev.main.sluice.internal.';
const SETTINGS = `
sampleCatalogue: false
tsig: { retireAfter: 1m }
notify: { timeout: 200ms }
`;

interface ToldKey {
  readonly key: { readonly name: string; readonly algorithm: TsigAlgorithm };
  readonly secret: string;
}

interface ShownKey {
  readonly id: number;
  readonly expiresAt: string | null;
  readonly firstUsedAt: string | null;
  readonly lastUsedFrom: string | null;
}

const tsigKeyOf = ({ key, secret }: ToldKey): TsigKey => ({
  name: parseName(key.name),
  algorithm: key.algorithm,
  secret: Uint8Array.from(Buffer.from(secret, 'base64')),
});

/** A server with device 1, which is told at `peer` and has no key yet. */
async function startScene() {
  const peer = await startPeer();
  onTestFinished(() => peer.close());
  const directory = temporaryDirectory();
  const server = await startTestSluice({ yaml: SETTINGS, directory });
  const notify = [{ address: peer.address, port: peer.port }];
  await server.api('POST', '/policies', { name: 'corp', type: 'dns' });
  const device = { name: 'r1', type: 'dns', access: 'key', notify, policyId: 1 };
  await server.api('POST', '/devices', device);
  const makeKey = async () => tsigKeyOf(await server.api<ToldKey>('POST', '/devices/1/keys', {}));
  const rotate = async (input: object) =>
    tsigKeyOf(await server.api<ToldKey>('POST', '/devices/1/keys/rotate', input));
  return { server, directory, peer, makeKey, rotate };
}

const rcodeWith = async (server: TestSluice, key: TsigKey) =>
  (await server.udp(ZONE, 'SOA', { key })).rcode;

const keysOf = async ({ api }: Pick<TestSluice, 'api'>) =>
  (await api<{ items: readonly ShownKey[] }>('GET', '/devices/1/keys')).items;

async function eventually(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await sleep(20);
}

/** Who signed what the peer was sent from its nth message on. */
const signers = ({ received }: Peer, from: number): string[] =>
  received
    .slice(from)
    .flatMap(({ message }) => (message.tsig ? formatName(message.tsig.name) : []));

/** Lets the zones of the device change; resolves with who signed the first NOTIFY about it. */
async function signerOfChange({ server, peer }: { server: TestSluice; peer: Peer }, name: string) {
  const told = peer.received.length;
  const list = await server.api<{ list: { id: number } }>('POST', '/lists', { name });
  const { id } = list.list;
  await server.api('PATCH', `/lists/${id}/entries`, { add: [`${name}.example`] });
  const attachment = { kind: 'list', id, action: { kind: 'nxdomain' } };
  await server.api('POST', '/policies/1/attachments', attachment);
  await until(() => signers(peer, told).length > 0);
  return signers(peer, told)[0];
}

it('during a rotation both keys are accepted, then the new one alone', async () => {
  const { server, makeKey, rotate } = await startScene();
  const before = await makeKey();
  expect(await rcodeWith(server, before)).toBe(RCODE.NOERROR);
  const after = await rotate({ overlap: 1, algorithm: 'hmac-sha512' });
  const begin = Date.now();
  expect(await rcodeWith(server, before)).toBe(RCODE.NOERROR);
  expect(await rcodeWith(server, after)).toBe(RCODE.NOERROR);
  while ((await rcodeWith(server, before)) === RCODE.NOERROR) {
    expect(Date.now() - begin).toBeLessThan(2_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(Date.now() - begin).toBeGreaterThanOrEqual(900);
  // RFC 8945 section 5.2.1: a key that is not known.
  expect(await rcodeWith(server, before)).toBe(RCODE.NOTAUTH);
  expect(await rcodeWith(server, after)).toBe(RCODE.NOERROR);
});

it('NOTIFYs are signed with the key that the device uses, until it is seen using the new one', async () => {
  const scene = await startScene();
  const { server, peer, makeKey, rotate } = scene;
  const before = await makeKey();
  await rcodeWith(server, before);
  peer.script = signing(before);
  const after = await rotate({ overlap: null });
  expect(await signerOfChange(scene, 'one')).toBe(formatName(before.name));
  expect(await rcodeWith(server, after)).toBe(RCODE.NOERROR);
  peer.script = signing(after);
  expect(await signerOfChange(scene, 'two')).toBe(formatName(after.name));
});

it('a device that never asks shows by its acknowledgement that it has the new key', async () => {
  const scene = await startScene();
  const { server, peer, makeKey, rotate } = scene;
  const before = await makeKey();
  peer.script = signing(before);
  await signerOfChange(scene, 'one');
  await eventually(async () => (await keysOf(server))[0]!.firstUsedAt !== null);
  const after = await rotate({ overlap: null });
  peer.script = signing(after);
  expect(await signerOfChange(scene, 'two')).toBe(formatName(before.name));
  await eventually(async () => (await keysOf(server))[1]!.firstUsedAt !== null);
  await eventually(async () => (await keysOf(server))[0]!.expiresAt !== null);
  expect((await keysOf(server))[1]!.lastUsedFrom).toBe(peer.address);
  expect(await signerOfChange(scene, 'three')).toBe(formatName(after.name));
});

it('the old key ends after the time in the settings, and nothing of it is forgotten by a restart', async () => {
  const { server, directory, makeKey, rotate } = await startScene();
  const before = await makeKey();
  await rcodeWith(server, before);
  const after = await rotate({ overlap: null });
  expect(await keysOf(server)).toMatchObject([{ expiresAt: null }, { firstUsedAt: null }]);
  const from = Date.now();
  await rcodeWith(server, after);
  await eventually(async () => (await keysOf(server))[0]!.expiresAt !== null);
  const keys = await keysOf(server);
  const end = Date.parse(keys[0]!.expiresAt!);
  expect(end).toBeGreaterThanOrEqual(from + 60_000);
  expect(end).toBeLessThanOrEqual(Date.now() + 60_000);
  expect(keys[1]).toMatchObject({ expiresAt: null, lastUsedFrom: '127.0.0.1' });
  await server.stop();

  const restarted = await startTestSluice({ yaml: SETTINGS, directory });
  const model = restarted.sluice.publisher.model.keys;
  expect([...model.values()]).toMatchObject([{ expiresAt: end, replacedBy: 2 }, { id: 2 }]);
  // Known to a new start without the device asking again: NOTIFYs and warnings go by it.
  const api = apiCaller(restarted.http, server.adminToken);
  expect(await keysOf({ api })).toEqual(keys);
  expect(await rcodeWith(restarted, before)).toBe(RCODE.NOERROR);
  const { warnings } = await api<{ warnings: readonly string[] }>('GET', '/devices/1');
  expect(warnings).toMatchObject([expect.stringContaining('was still used on')]);
});
