import { describe, expect, it } from 'vitest';
import {
  createStreamVerifier,
  parseName,
  RCODE,
  type TsigAlgorithm,
  type TsigKey,
  verifyResponse,
} from '../../src/dns/index.ts';
import { makeQuery, type QueryOptions } from '../support/dns-query.ts';
import { collectMessages, type House, openHouse, tsigKeyOf } from '../support/house.ts';
import { addKeyed, addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';
import { readAnswer } from '../support/transfer.ts';

const ZONE = zoneName('rpz', 'corp');
const STRANGER = '203.0.113.1';

interface Scene extends House {
  readonly key: TsigKey;
  readonly nowSeconds: number;
}

async function openScene(names = 3, algorithm = 'hmac-sha256'): Promise<Scene> {
  const house = await openHouse();
  const { value: keyId } = await house.edit((edit) => {
    const lines = Array.from({ length: names }, (_, index) => `name-${index}.example`);
    const kits = addTarget(edit, 'kits', lines);
    const policy = addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
    return addKeyed(edit, 'by-key', 'dns', policy, algorithm);
  });
  const nowSeconds = Math.floor(house.time.now / 1000);
  return { ...house, key: tsigKeyOf(house, keyId), nowSeconds };
}

/** One signed question and the verdict of its client on the answer. */
function exchange(scene: Scene, key: TsigKey, options: QueryOptions = {}) {
  const { nowSeconds } = scene;
  const query = makeQuery(ZONE, 'SOA', { key, nowSeconds, ...options });
  const [bytes] = collectMessages(scene.handle(query.bytes, { address: STRANGER }));
  const message = readAnswer(bytes);
  const verdict = verifyResponse({ key, requestMac: query.mac, bytes, message, nowSeconds });
  return { message, verdict };
}

describe('signed answers', () => {
  it.each<TsigAlgorithm>(['hmac-sha256', 'hmac-sha384', 'hmac-sha512'])(
    'verify, positive and negative ones, with %s',
    async (algorithm) => {
      const scene = await openScene(3, algorithm);
      expect(exchange(scene, scene.key)).toMatchObject({
        message: { rcode: RCODE.NOERROR },
        verdict: { kind: 'valid' },
      });
      const { nowSeconds, key } = scene;
      const query = makeQuery(`good.${ZONE}`, 'A', { key, nowSeconds, edns: {} });
      const [bytes] = collectMessages(scene.handle(query.bytes, { address: STRANGER }));
      const message = readAnswer(bytes);
      const verdict = verifyResponse({ key, requestMac: query.mac, bytes, message, nowSeconds });
      expect(message.rcode).toBe(RCODE.NXDOMAIN);
      expect(verdict.kind).toBe('valid');
    },
  );

  it('are refusals too, where the key is good but has no right', async () => {
    const scene = await openScene();
    const { nowSeconds, key } = scene;
    for (const options of [{}, { edns: {} }]) {
      const query = makeQuery('example.', 'SOA', { key, nowSeconds, ...options });
      const [bytes] = collectMessages(scene.handle(query.bytes, { address: STRANGER }));
      const message = readAnswer(bytes);
      expect(message.rcode).toBe(RCODE.REFUSED);
      expect(verifyResponse({ key, requestMac: query.mac, bytes, message, nowSeconds }).kind).toBe(
        'valid',
      );
    }
  });

  it('carry TSIG on every message of a transfer, chained', async () => {
    const scene = await openScene(3_000);
    const { key, nowSeconds } = scene;
    const query = makeQuery(ZONE, 'AXFR', { key, nowSeconds, edns: {} });
    const messages = collectMessages(
      scene.handle(query.bytes, { protocol: 'tcp', address: STRANGER }),
    );
    expect(messages.length).toBeGreaterThan(5);
    const verifier = () =>
      createStreamVerifier({ key, requestMac: query.mac, nowSeconds: () => nowSeconds });
    const verdicts = (order: readonly Uint8Array[]) => {
      const stream = verifier();
      return order.map((bytes) => stream.accept({ bytes, message: readAnswer(bytes) }).kind);
    };
    expect(new Set(verdicts(messages))).toEqual(new Set(['valid']));
    // Each signature covers the one before: a message that is left out or changes its place shows.
    expect(verdicts([messages[0], ...messages.slice(2)])).toContain('invalid');
    expect(verdicts([messages[0], messages[2], messages[1]])).toContain('invalid');
  });

  it('carry TSIG on IXFR over UDP and TCP', async () => {
    const scene = await openScene();
    for (const protocol of ['udp', 'tcp'] as const) {
      const { records } = scene.transfer(ZONE, {
        key: scene.key,
        have: 1,
        protocol,
        from: STRANGER,
      });
      expect(records.length).toBeGreaterThan(0);
    }
  });
});

describe('TSIG errors', () => {
  const FORGED = parseName('nobody.key.acme.sluice.internal.');

  it('BADKEY for a key that is not there, unsigned', async () => {
    const scene = await openScene();
    const { message, verdict } = exchange(scene, { ...scene.key, name: FORGED });
    expect(message).toMatchObject({
      rcode: RCODE.NOTAUTH,
      answers: [],
      tsig: { error: RCODE.BADKEY },
    });
    expect(message.tsig?.mac).toHaveLength(0);
    expect(verdict).toMatchObject({ kind: 'error', authenticated: false });
  });

  it('BADKEY for a key under another algorithm than its own', async () => {
    const scene = await openScene();
    const { message } = exchange(scene, { ...scene.key, algorithm: 'hmac-sha512' });
    expect(message).toMatchObject({ rcode: RCODE.NOTAUTH, tsig: { error: RCODE.BADKEY } });
  });

  it.each<TsigAlgorithm>(['hmac-sha1', 'hmac-md5'])(
    'BADKEY for %s, which the configuration does not allow, whatever key there is',
    async (algorithm) => {
      const scene = await openScene(3, algorithm);
      const { message } = exchange(scene, scene.key);
      expect(message).toMatchObject({ rcode: RCODE.NOTAUTH, tsig: { error: RCODE.BADKEY } });
      const allowing = scene.openDesk({ tsigAlgorithms: [algorithm] });
      expect(exchange({ ...scene, ...allowing }, scene.key).verdict.kind).toBe('valid');
    },
  );

  it('BADSIG for a wrong secret, unsigned', async () => {
    const scene = await openScene();
    const secret = Uint8Array.from(scene.key.secret, (octet) => octet ^ 1);
    const { message } = exchange(scene, { ...scene.key, secret });
    expect(message).toMatchObject({ rcode: RCODE.NOTAUTH, tsig: { error: RCODE.BADSIG } });
    expect(message.tsig?.mac).toHaveLength(0);
  });

  it('BADTIME for a clock that is off, signed, with our time', async () => {
    const scene = await openScene();
    for (const offset of [-301, 301, -100_000]) {
      const query = { nowSeconds: scene.nowSeconds + offset };
      const { message, verdict } = exchange(scene, scene.key, query);
      expect(message).toMatchObject({ rcode: RCODE.NOTAUTH, answers: [] });
      expect(verdict).toEqual({
        kind: 'error',
        error: RCODE.BADTIME,
        authenticated: true,
        serverTime: scene.nowSeconds,
      });
    }
    expect(exchange(scene, scene.key, { nowSeconds: scene.nowSeconds + 300 }).message.rcode).toBe(
      RCODE.NOERROR,
    );
  });

  it('end a transfer before it begins', async () => {
    const scene = await openScene();
    const secret = Uint8Array.from(scene.key.secret, (octet) => octet ^ 1);
    const { messages, records, rcode } = scene.transfer(ZONE, { key: { ...scene.key, secret } });
    expect([messages.length, records, rcode]).toEqual([1, [], RCODE.NOTAUTH]);
  });

  it('do not depend on the address: a broken signature is no plain query', async () => {
    const scene = await openScene();
    // From the address that may read the zone without any key.
    const { rcode } = scene.ask(ZONE, 'SOA', { key: { ...scene.key, name: FORGED } });
    expect(rcode).toBe(RCODE.NOTAUTH);
    expect(scene.ask(ZONE, 'SOA').rcode).toBe(RCODE.NOERROR);
  });
});
