import { createHmac, createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ResourceRecord } from '../../src/dns/message.ts';
import { createMessageWriter } from '../../src/dns/message-writer.ts';
import { parseName } from '../../src/dns/name.ts';
import { CLASS, RRTYPE } from '../../src/dns/registry.ts';
import { createResponseSigner, verifyRequest } from '../../src/dns/tsig.ts';
import { ALL_ALGORITHMS, key, NOW, signedRequest } from './tsig-cases.ts';

/**
 * What hot paths cost, as ratios to a yardstick measured in turns with them, so that a busy machine
 * slows both. src/dns/README.md has the figures of a quiet one.
 */
const ROUNDS = 200;

/** The quickest of many short rounds of each, the two taking turns: some of them are undisturbed. */
function quickest(first: () => void, second: () => void): [number, number] {
  const best: [number, number] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [i, run] of [first, second].entries()) {
      const started = performance.now();
      run();
      best[i] = Math.min(best[i], performance.now() - started);
    }
  }
  return best;
}

describe('the cost of the codec', () => {
  it('signing a message of a stream in place costs little more than its HMAC', () => {
    const octets = 16_000;
    const request = signedRequest();
    const verdict = verifyRequest({
      ...request,
      findKey: () => key,
      nowSeconds: NOW,
      allowedAlgorithms: ALL_ALGORITHMS,
    });
    const signer = createResponseSigner(verdict, () => NOW);
    const buffer = new Uint8Array(octets + 500);
    const secret = createSecretKey(key.secret);
    const [signing, hmac] = quickest(
      () => {
        for (let i = 0; i < 20; i += 1) signer?.sign(buffer, 0, octets);
      },
      () => {
        for (let i = 0; i < 20; i += 1) {
          createHmac('sha256', secret).update(buffer.subarray(0, octets)).digest();
        }
      },
    );
    // 1.04 to 1.12 on a quiet machine.
    expect(signing / hmac).toBeLessThan(1.8);
  });

  it('writing records allocates nothing per record', () => {
    const records: ResourceRecord[] = Array.from({ length: 600 }, (_, i) => ({
      name: parseName(`${i}.v4.block.policy.account.example.`),
      type: i % 2 === 0 ? RRTYPE.A : RRTYPE.PTR,
      class: CLASS.IN,
      ttl: 60,
      rdata: i % 2 === 0 ? Uint8Array.of(192, 0, 2, 1) : parseName(`${i}.target.example.`),
    }));
    const writer = createMessageWriter(new Uint8Array(65_535));
    let written = 0;
    const writeAll = () => {
      writer.start({ id: 1 });
      for (const record of records) if (writer.record('answer', record)) written += 1;
      writer.finish();
    };
    const growthOf = (rounds: number) => {
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < rounds; i += 1) writeAll();
      return process.memoryUsage().heapUsed - before;
    };
    growthOf(200);
    written = 0;
    // Compilers and collectors work beside this now and then: the quietest batch tells.
    const growths = Array.from({ length: 10 }, () => growthOf(50)).filter((growth) => growth >= 0);
    expect(written).toBe(300_000);
    // One small object per record would be 30,000 times at least 16 octets in each batch.
    expect(Math.min(...growths)).toBeLessThan(100_000);
  });
});
