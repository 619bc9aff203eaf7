import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMessage } from '../../src/dns/message.ts';
import { lowerCaseName, parseName } from '../../src/dns/name.ts';
import { RCODE } from '../../src/dns/registry.ts';
import {
  createResponseSigner,
  createStreamVerifier,
  signRequest,
  TSIG_ALGORITHMS,
  type TsigKey,
  type TsigVerdict,
  tsigOctets,
  verifyRequest,
  verifyResponse,
} from '../../src/dns/tsig.ts';
import {
  ALL_ALGORITHMS,
  key,
  NOW,
  naiveMac,
  naivePrior,
  naiveTimers,
  naiveVariables,
  readSigned,
  type Signed,
  signedRequest,
  withRecord,
  writePlain,
} from '../dns/tsig-cases.ts';
import { hex } from '../dns/write-whole.ts';

function verify(
  signed: Signed,
  options: Partial<Parameters<typeof verifyRequest>[0]> = {},
): TsigVerdict {
  return verifyRequest({
    bytes: signed.bytes,
    message: signed.message,
    findKey: () => key,
    nowSeconds: NOW,
    allowedAlgorithms: ALL_ALGORITHMS,
    ...options,
  });
}

const invalid = (error: number) => ({
  kind: 'invalid',
  error,
  rcode: error === RCODE.FORMERR ? RCODE.FORMERR : RCODE.NOTAUTH,
});

/** Signs a plain answer with the signer for a verdict; the answer with what it was before. */
function answer(verdict: TsigVerdict, nowSeconds = NOW): Signed {
  const signer = createResponseSigner(verdict, () => nowSeconds);
  if (signer === null) throw new Error('no signer');
  const buffer = new Uint8Array(512);
  const length = writePlain(buffer, true);
  const plain = buffer.slice(0, length);
  const signedLength = signer.sign(buffer, 0, length);
  expect(signedLength).toBe(length + signer.octets);
  return readSigned(buffer.slice(0, signedLength), plain);
}

describe('RFC 8945 section 4.2: record format', () => {
  it('of a signed request is this', () => {
    const buffer = new Uint8Array(512);
    const length = writePlain(buffer, false);
    const { length: signedLength, mac } = signRequest({
      buffer,
      length,
      key,
      nowSeconds: NOW,
      fudge: 300,
    });
    const macHex = Buffer.from(mac).toString('hex');
    expect(buffer.slice(length, signedLength)).toEqual(
      hex(`07 44657669636531 03 4b6579 00 00fa 00ff 00000000 003d
           0b 686d61632d736861323536 00 000068e77800 012c 0020 ${macHex} 1234 0000 0000`),
    );
    expect(signedLength - length).toBe(tsigOctets(key));
    expect(buffer[11]).toBe(1);
  });

  it('demands class ANY and TTL 0', () => {
    const { bytes, record } = signedRequest();
    const fixed = record.offset + record.name.length;
    for (const offset of [fixed + 3, fixed + 7]) {
      const changed = bytes.slice();
      changed[offset] ^= 1;
      expect(readMessage(changed)).toMatchObject({ malformed: true });
    }
  });

  it('is malformed when its parts do not add up', () => {
    const { bytes, record } = signedRequest();
    const rdataLength = record.offset + record.name.length + 9;
    const macSize = rdataLength + record.algorithm.length + 10;
    for (const offset of [rdataLength, macSize, bytes.length - 1]) {
      const changed = bytes.slice();
      changed[offset] += 1;
      expect(readMessage(changed)).toMatchObject({ malformed: true });
    }
  });
});

describe('RFC 8945 section 4.3: MAC computation', () => {
  it.each(ALL_ALGORITHMS)('of a request covers message and variables, by %s', (algorithm) => {
    const by: TsigKey = { ...key, algorithm, secret: hex('00ff10') };
    const { plain, record } = signedRequest({ key: by, fudge: 17 });
    expect(record.mac).toEqual(naiveMac(by, [plain, ...naiveVariables(record)]));
    expect(record.mac).toHaveLength(TSIG_ALGORITHMS[algorithm].macOctets);
  });

  it('has a time of 48 bits', () => {
    const late = 2 ** 40 + 5;
    const signed = signedRequest({ nowSeconds: late });
    expect(signed.record.timeSigned).toBe(late);
    expect(verify(signed, { nowSeconds: late })).toMatchObject({ kind: 'valid' });
  });
});

describe('RFC 8945 section 5.2: server processing of a request', () => {
  it.each(ALL_ALGORITHMS)('accepts %s', (algorithm) => {
    const by: TsigKey = { ...key, algorithm };
    expect(verify(signedRequest({ key: by }), { findKey: () => by })).toEqual({
      kind: 'valid',
      key: by,
      record: expect.objectContaining({ algorithm: TSIG_ALGORITHMS[algorithm].name }),
    });
  });

  it('asks for the key by the name in the record, in whatever case it came', () => {
    const names: Uint8Array[] = [];
    const findKey = (name: Uint8Array) => {
      names.push(name);
      return key;
    };
    const signed = withRecord(signedRequest(), { name: parseName('DEVICE1.key.') });
    expect(verify(signed, { findKey })).toMatchObject({ kind: 'valid' });
    expect(names).toEqual([parseName('DEVICE1.key.')]);
  });

  it('says unsigned of a request without TSIG', () => {
    const { plain } = signedRequest();
    expect(verify(readSigned(plain))).toEqual({ kind: 'unsigned' });
  });

  it('takes a TSIG record anywhere but last, or a second one, for malformed', () => {
    const { bytes, record } = signedRequest();
    const tsig = bytes.subarray(record.offset);
    const opt = hex('00 0029 04d0 00000000 0000');
    const counted = (octets: Uint8Array, offset: number, count: number) => {
      const copy = Uint8Array.from(octets);
      copy[offset] = count;
      return copy;
    };
    expect(readMessage(counted(Uint8Array.of(...bytes, ...opt), 11, 2))).toMatchObject({
      malformed: true,
    });
    expect(readMessage(counted(Uint8Array.of(...bytes, ...tsig), 11, 2))).toMatchObject({
      malformed: true,
    });
    const asAnswer = counted(counted(bytes, 11, 0), 7, 1);
    expect(readMessage(asAnswer)).toMatchObject({ malformed: true });
  });

  it('checks key, then MAC, then time, then truncation, so that each hides what comes after', () => {
    const late = { nowSeconds: NOW + 301 };
    const short = withRecord(signedRequest(), { mac: signedRequest().record.mac.slice(0, 16) });
    const forged = withRecord(short, { mac: new Uint8Array(16) });
    expect(verify(forged, { ...late, findKey: () => undefined })).toMatchObject(
      invalid(RCODE.BADKEY),
    );
    expect(verify(forged, late)).toMatchObject(invalid(RCODE.BADSIG));
    expect(verify(short, late)).toMatchObject(invalid(RCODE.BADTIME));
    expect(verify(short)).toMatchObject(invalid(RCODE.BADTRUNC));
  });
});

describe('RFC 8945 section 5.2.1: key check', () => {
  it('answers BADKEY to an unknown key, an unknown algorithm and a key under another algorithm', () => {
    const signed = signedRequest();
    expect(verify(signed, { findKey: () => undefined })).toMatchObject(invalid(RCODE.BADKEY));
    const gss = withRecord(signed, { algorithm: parseName('gss-tsig.') });
    expect(verify(gss)).toMatchObject(invalid(RCODE.BADKEY));
    const other: TsigKey = { ...key, algorithm: 'hmac-sha512' };
    expect(verify(signedRequest({ key: other }))).toMatchObject(invalid(RCODE.BADKEY));
  });

  it('answers BADKEY to an algorithm that is not allowed, though the MAC is right', () => {
    const by: TsigKey = { ...key, algorithm: 'hmac-md5' };
    const options = {
      findKey: () => by,
      allowedAlgorithms: ['hmac-sha256', 'hmac-sha512'] as const,
    };
    expect(verify(signedRequest({ key: by }), options)).toMatchObject(invalid(RCODE.BADKEY));
  });

  it('knows algorithm names in any case', () => {
    const signed = withRecord(signedRequest(), { algorithm: parseName('HMAC-SHA256.') });
    expect(verify(signed)).toMatchObject({ kind: 'valid' });
  });
});

describe('RFC 8945 section 5.2.2: MAC check', () => {
  it('finds any changed bit of the message and of what the MAC covers', () => {
    const signed = signedRequest();
    const unprotected = signed.record.offset;
    fc.assert(
      fc.property(fc.nat(8 * unprotected - 1), (bit) => {
        const bytes = signed.bytes.slice();
        bytes[bit >> 3] ^= 1 << (bit & 7);
        const read = readMessage(bytes);
        // The id is not covered, the original id is; counts and lengths may make it malformed.
        if (bit < 16 || 'malformed' in read) return;
        expect(verify({ ...signed, bytes, message: read })).toMatchObject(invalid(RCODE.BADSIG));
      }),
    );
    for (const changes of [
      { timeSigned: NOW + 1 },
      { fudge: 301 },
      { error: 1 },
      { otherData: hex('00') },
      { originalId: 1 },
    ]) {
      expect(verify(withRecord(signed, changes))).toMatchObject(invalid(RCODE.BADSIG));
    }
  });

  it('survives a forwarder that changes the id (4.3.2: the original id is substituted)', () => {
    const { bytes } = signedRequest();
    bytes[0] ^= 0xff;
    expect(verify(readSigned(bytes))).toMatchObject({ kind: 'valid' });
  });

  it('finds another secret', () => {
    const other = { ...key, secret: hex('00') };
    expect(verify(signedRequest(), { findKey: () => other })).toMatchObject(invalid(RCODE.BADSIG));
  });
});

describe('RFC 8945 section 5.2.2.1: truncation', () => {
  const sizes = (algorithm: TsigKey['algorithm'], octets: number, macOctetsMin?: number) => {
    const by: TsigKey = { ...key, algorithm };
    const signed = signedRequest({ key: by });
    const mac = new Uint8Array(octets);
    mac.set(signed.record.mac.slice(0, octets));
    const options = macOctetsMin === undefined ? {} : { macOctetsMin };
    return verify(withRecord(signed, { mac }), { findKey: () => by, ...options });
  };

  it('answers FORMERR to a MAC longer than the hash, or shorter than ten octets or half of it', () => {
    expect(sizes('hmac-sha256', 33)).toMatchObject(invalid(RCODE.FORMERR));
    expect(sizes('hmac-sha256', 15, 1)).toMatchObject(invalid(RCODE.FORMERR));
    expect(sizes('hmac-sha512', 31, 1)).toMatchObject(invalid(RCODE.FORMERR));
    expect(sizes('hmac-md5', 9, 1)).toMatchObject(invalid(RCODE.FORMERR));
    expect(sizes('hmac-sha1', 9, 1)).toMatchObject(invalid(RCODE.FORMERR));
    expect(sizes('hmac-sha256', 0, 0)).toMatchObject(invalid(RCODE.FORMERR));
  });

  it('accepts a truncated MAC where the policy allows its length', () => {
    expect(sizes('hmac-sha256', 16, 16)).toMatchObject({ kind: 'valid' });
    expect(sizes('hmac-sha1', 10, 10)).toMatchObject({ kind: 'valid' });
    expect(sizes('hmac-md5', 16, 32)).toMatchObject({ kind: 'valid' });
  });

  it('answers BADTRUNC below the policy, whose default is the whole MAC (5.2.4)', () => {
    expect(sizes('hmac-sha256', 16, 17)).toMatchObject(invalid(RCODE.BADTRUNC));
    expect(sizes('hmac-sha256', 31)).toMatchObject(invalid(RCODE.BADTRUNC));
  });

  it('answers BADSIG when the octets that are there are wrong', () => {
    const signed = withRecord(signedRequest(), { mac: new Uint8Array(16) });
    expect(verify(signed, { macOctetsMin: 16 })).toMatchObject(invalid(RCODE.BADSIG));
  });

  it('chains the answer to the MAC as it was sent', () => {
    const request = withRecord(signedRequest(), { mac: signedRequest().record.mac.slice(0, 16) });
    const { plain, record } = answer(verify(request, { macOctetsMin: 16 }));
    const prior = naivePrior(request.record.mac);
    expect(record.mac).toEqual(naiveMac(key, [...prior, plain, ...naiveVariables(record)]));
    expect(record.mac).toHaveLength(32);
  });
});

describe('RFC 8945 section 5.2.3: time check', () => {
  it('accepts fudge seconds to either side and not one more', () => {
    const signed = signedRequest({ fudge: 10 });
    expect(verify(signed, { nowSeconds: NOW - 10 })).toMatchObject({ kind: 'valid' });
    expect(verify(signed, { nowSeconds: NOW + 10 })).toMatchObject({ kind: 'valid' });
    expect(verify(signed, { nowSeconds: NOW - 11 })).toMatchObject(invalid(RCODE.BADTIME));
    expect(verify(signed, { nowSeconds: NOW + 11 })).toMatchObject(invalid(RCODE.BADTIME));
  });

  it("is answered signed, with the client's time and fudge and the server's time beside them", () => {
    const request = signedRequest({ fudge: 10 });
    const { plain, record } = answer(verify(request, { nowSeconds: NOW + 5000 }), NOW + 5001);
    expect(record).toMatchObject({ timeSigned: NOW, fudge: 10, error: RCODE.BADTIME });
    expect(record.otherData).toEqual(hex('000068e78b88'));
    const prior = naivePrior(request.record.mac);
    expect(record.mac).toEqual(naiveMac(key, [...prior, plain, ...naiveVariables(record)]));
  });
});

describe('RFC 8945 section 5.3: TSIG on answers', () => {
  it('covers the request MAC, the answer and the variables', () => {
    const request = signedRequest();
    const { plain, record, bytes } = answer(verify(request), NOW + 7);
    expect(record).toMatchObject({ timeSigned: NOW + 7, fudge: 300, error: 0, originalId: 0x1234 });
    expect(record.name).toEqual(key.name);
    expect(bytes.subarray(0, 10)).toEqual(plain.subarray(0, 10));
    const prior = naivePrior(request.record.mac);
    expect(record.mac).toEqual(naiveMac(key, [...prior, plain, ...naiveVariables(record)]));
  });

  it('is not on answers to unsigned requests, nor to those that were FORMERR', () => {
    expect(createResponseSigner({ kind: 'unsigned' }, () => NOW)).toBeNull();
    const tooLong = withRecord(signedRequest(), { mac: new Uint8Array(33) });
    expect(createResponseSigner(verify(tooLong), () => NOW)).toBeNull();
  });

  it('refuses a buffer that has no room for the record', () => {
    const signer = createResponseSigner(verify(signedRequest()), () => NOW);
    const buffer = new Uint8Array(512);
    const length = writePlain(buffer, true);
    const octets = signer?.octets ?? 0;
    expect(() => signer?.sign(buffer.subarray(0, length + octets - 1), 0, length)).toThrow(
      RangeError,
    );
    expect(signer?.sign(buffer.subarray(0, length + octets), 0, length)).toBe(length + octets);
  });
});

describe('RFC 8945 section 5.3.1: TSIG on TCP connections', () => {
  const messages = 5;

  /** Signs a stream into one buffer, each message with two octets in front, by the given clock. */
  function stream(request: Signed, clock: (message: number) => number): Signed[] {
    let now = 0;
    const signer = createResponseSigner(verify(request), () => now);
    const buffer = new Uint8Array(65_536).fill(0xee);
    const signed: Signed[] = [];
    let end = 0;
    for (let i = 0; i < messages; i += 1) {
      now = clock(i);
      const start = end + 2;
      const length = writePlain(buffer.subarray(start, start + 2000), true, 100 * i);
      const plain = buffer.slice(start, start + length);
      const signedLength = signer?.sign(buffer, start, length) ?? 0;
      signed.push(readSigned(buffer.slice(start, start + signedLength), plain));
      expect(buffer.slice(end, start)).toEqual(hex('eeee'));
      end = start + signedLength;
    }
    return signed;
  }

  it('covers the MAC before, the message and the timers from the second message on', () => {
    const request = signedRequest();
    const signed = stream(request, () => NOW);
    let prior = request.record.mac;
    for (const [i, { plain, record }] of signed.entries()) {
      const rest = i === 0 ? naiveVariables(record) : naiveTimers(record);
      expect(record.mac).toEqual(naiveMac(key, [...naivePrior(prior), plain, ...rest]));
      prior = record.mac;
    }
  });

  it('has times that do not decrease when the clock does', () => {
    const signed = stream(signedRequest(), (i) => NOW + [0, 5, -100, 3, 6][i]);
    expect(signed.map(({ record }) => record.timeSigned - NOW)).toEqual([0, 5, 5, 5, 6]);
  });

  const verifierFor = (request: Signed, nowSeconds = NOW) =>
    createStreamVerifier({ key, requestMac: request.record.mac, nowSeconds: () => nowSeconds });

  it('is verified message by message', () => {
    const request = signedRequest();
    const verifier = verifierFor(request);
    expect(verifier.isComplete()).toBe(false);
    for (const signed of stream(request, () => NOW)) {
      expect(verifier.accept(signed)).toMatchObject({ kind: 'valid' });
      expect(verifier.isComplete()).toBe(true);
    }
  });

  it('does not verify with a message left out, repeated, swapped or changed', () => {
    const request = signedRequest();
    const [first, second, third] = stream(request, () => NOW);
    const verdicts = (list: Signed[]) => {
      const verifier = verifierFor(request);
      return list.map((signed) => verifier.accept(signed).kind);
    };
    expect(verdicts([first, third])).toEqual(['valid', 'invalid']);
    expect(verdicts([first, first])).toEqual(['valid', 'invalid']);
    expect(verdicts([first, third, second])).toEqual(['valid', 'invalid', 'invalid']);
    const bytes = second.bytes.slice();
    bytes[second.plain.length - 1] ^= 1;
    expect(verdicts([first, readSigned(bytes)])).toEqual(['valid', 'invalid']);
  });

  it('may come with up to 99 messages unsigned in between, covered by the next MAC', () => {
    const request = signedRequest();
    const [first] = stream(request, () => NOW);
    const { plain } = first;
    const pending = readSigned(plain);
    const run = (unsigned: number) => {
      const verifier = verifierFor(request);
      verifier.accept(first);
      const kinds = Array.from({ length: unsigned }, () => verifier.accept(pending).kind);
      expect(verifier.isComplete()).toBe(false);
      const parts = [
        ...naivePrior(first.record.mac),
        ...Array(unsigned + 1).fill(plain),
        ...naiveTimers(first.record),
      ];
      const last = withRecord(first, { mac: naiveMac(key, parts) });
      return [...new Set(kinds), verifier.accept(last).kind, verifier.isComplete()];
    };
    expect(run(1)).toEqual(['pending', 'valid', true]);
    expect(run(99)).toEqual(['pending', 'valid', true]);
    expect(run(100).slice(0, 2)).toEqual(['pending', 'unsigned']);
  });

  it('must begin with a signed message', () => {
    const request = signedRequest();
    expect(verifierFor(request).accept(readSigned(request.plain))).toEqual({ kind: 'unsigned' });
  });
});

describe('RFC 8945 section 5.3.2: TSIG on error answers', () => {
  it.each([
    ['BADKEY', RCODE.BADKEY, { findKey: (): TsigKey | undefined => undefined }],
    ['BADSIG', RCODE.BADSIG, { findKey: (): TsigKey => ({ ...key, secret: hex('00') }) }],
  ])('of %s has an empty MAC and names key and algorithm as they came', (_, error, options) => {
    const signed = withRecord(signedRequest(), { algorithm: parseName('HMAC-SHA256.') });
    const { record } = answer(verify(signed, options), NOW + 1);
    expect(record).toMatchObject({ error, timeSigned: NOW + 1, originalId: 0x1234 });
    expect(record.mac).toHaveLength(0);
    expect(record.otherData).toHaveLength(0);
    expect(record.name).toEqual(key.name);
    expect(record.algorithm).toEqual(parseName('HMAC-SHA256.'));
  });

  it('of BADTRUNC is signed over the request MAC', () => {
    const request = withRecord(signedRequest(), { mac: signedRequest().record.mac.slice(0, 20) });
    const { plain, record } = answer(verify(request));
    expect(record.error).toBe(RCODE.BADTRUNC);
    const prior = naivePrior(request.record.mac);
    expect(record.mac).toEqual(naiveMac(key, [...prior, plain, ...naiveVariables(record)]));
  });
});

describe('RFC 8945 section 5.4: client processing of an answer', () => {
  const request = signedRequest();
  const check = (signed: Signed, nowSeconds = NOW) =>
    verifyResponse({ ...signed, key, requestMac: request.record.mac, nowSeconds });
  const notAuth = (signed: Signed): Signed => {
    const bytes = signed.bytes.slice();
    bytes[3] = (bytes[3] & 0xf0) | RCODE.NOTAUTH;
    return readSigned(bytes);
  };

  it('accepts the answer to its request, and to no other', () => {
    expect(check(answer(verify(request)))).toMatchObject({ kind: 'valid' });
    const other = signedRequest({ nowSeconds: NOW + 1 });
    expect(check(answer(verify(other)))).toEqual({ kind: 'invalid', error: RCODE.BADSIG });
  });

  it('does not accept another key, another algorithm, a wrong size or time, or no TSIG', () => {
    const good = answer(verify(request));
    const named = withRecord(good, { name: parseName('other.') });
    expect(check(named)).toEqual({ kind: 'invalid', error: RCODE.BADKEY });
    const sha1 = withRecord(good, { algorithm: TSIG_ALGORITHMS['hmac-sha1'].name });
    expect(check(sha1)).toEqual({ kind: 'invalid', error: RCODE.BADKEY });
    const empty = withRecord(good, { mac: new Uint8Array() });
    expect(check(empty)).toEqual({ kind: 'invalid', error: RCODE.FORMERR });
    const short = withRecord(good, { mac: good.record.mac.slice(0, 31) });
    expect(check(short)).toEqual({ kind: 'invalid', error: RCODE.BADTRUNC });
    expect(check(good, NOW + 301)).toEqual({ kind: 'invalid', error: RCODE.BADTIME });
    expect(check(readSigned(good.plain))).toEqual({ kind: 'unsigned' });
  });

  it('learns of BADKEY and BADSIG from answers that it cannot trust', () => {
    const unsigned = notAuth(answer(verify(request, { findKey: () => undefined })));
    expect(check(unsigned)).toEqual({
      kind: 'error',
      error: RCODE.BADKEY,
      authenticated: false,
      serverTime: null,
    });
  });

  it("learns the server's time from a BADTIME that it can trust, whatever its own clock says", () => {
    const late = answer(verify(request, { nowSeconds: NOW + 9999 }));
    expect(check(late, NOW)).toEqual({
      kind: 'error',
      error: RCODE.BADTIME,
      authenticated: true,
      serverTime: NOW + 9999,
    });
    const forged = withRecord(late, { otherData: hex('000000000000') });
    expect(check(forged)).toEqual({ kind: 'invalid', error: RCODE.BADSIG });
  });
});

describe('a key', () => {
  it('may be the same secret under another name and algorithm', () => {
    const twin: TsigKey = {
      name: lowerCaseName(key.name),
      algorithm: 'hmac-sha384',
      secret: key.secret,
    };
    expect(verify(signedRequest({ key: twin }), { findKey: () => twin })).toMatchObject({
      kind: 'valid',
    });
    expect(verify(signedRequest())).toMatchObject({ kind: 'valid' });
  });
});
