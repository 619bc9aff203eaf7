import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram, requirePeer } from './peers/index.ts';
import { type SluicePrimary, startPrimary } from './sluice-primary.ts';

const ZONE = 'rpz.corp.main.sluice.internal';
const NAMES = 20_000;
const HOUR_MS = 3_600_000;
const OUTPUT_OCTETS_MAX = 64 * 1024 * 1024;
const ALGORITHMS = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const;
const OLD_ALGORITHMS = ['hmac-sha1', 'hmac-md5'] as const;
const TOOLS = ['dig', 'kdig'] as const;

type Tool = (typeof TOOLS)[number];

/** A key as the tools take it, which may be wrong on purpose. */
interface Key {
  readonly name: string;
  readonly algorithm: string;
  readonly secret: string;
}

const installed = requirePeer('dig', 'kdig');

/** Both streams together: dig complains on standard output, kdig on standard error. */
function query(tool: Tool, server: SluicePrimary, type: 'SOA' | 'AXFR', key?: Key) {
  const once = tool === 'dig' ? '+tries=1' : '+retry=0';
  const signed = key === undefined ? [] : ['-y', `${key.algorithm}:${key.name}:${key.secret}`];
  const args = [`@${server.address}`, '-p', String(server.port), once, ...signed];
  return new Promise<string>((resolve) => {
    execFile(
      findProgram(tool) ?? tool,
      [...args, '-t', type, '-q', ZONE],
      { maxBuffer: OUTPUT_OCTETS_MAX },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
  });
}

/** What stands in the TSIG record of an answer. dig breaks a long MAC into several words. */
function tsigOf(output: string) {
  const record = /\sANY\s+TSIG\s+(\S+) (\d+) \d+ (\d+) .*?\b(NOERROR|BAD\w+) (\d+)/.exec(output);
  const [, algorithm, time, macOctets, error, otherOctets] = record ?? [];
  return {
    algorithm,
    time: Number(time),
    macOctets: Number(macOctets),
    error,
    otherOctets: Number(otherOctets),
  };
}

/** What dig and kdig say when they could not verify the answer, whatever the reason. */
const DOUBT = /could(n't| not) (be )?(verif|validat)|reply verification|server replied with error/i;

async function addPolicy({ ok }: SluicePrimary, names: readonly string[]): Promise<number> {
  const { target } = await ok('POST', '/targets', { name: 'Names' });
  await ok('PUT', `/targets/${target?.id}/indicators`, names.join('\n'));
  const attachments = [{ kind: 'target', id: Number(target?.id) }];
  const { policy } = await ok('POST', '/policies', { name: 'corp', type: 'dns', attachments });
  return Number(policy?.id);
}

describe.skipIf(!installed).each(TOOLS)('%s, which signs its questions', (tool) => {
  let sluice: SluicePrimary;
  let policyId: number;
  const keys = new Map<string, Key>();

  beforeAll(async () => {
    sluice = await startPrimary();
    const names = Array.from({ length: NAMES }, (_, at) => `n${at}.example`);
    policyId = await addPolicy(sluice, names);
    for (const algorithm of ALGORITHMS) {
      const name = algorithm.replace('hmac-', 'd');
      const { key } = await sluice.addDevice({ name, type: 'dns', policyId, algorithm });
      keys.set(algorithm, key!);
    }
  });
  afterAll(() => sluice?.stop());

  it.each(ALGORITHMS)(
    'accepts what Sluice signs with %s: an answer, a transfer',
    async (algorithm) => {
      const key = keys.get(algorithm)!;
      const macOctets = Number(algorithm.slice(-3)) / 8;
      const soa = await query(tool, sluice, 'SOA', key);
      expect(soa).toContain('status: NOERROR');
      expect(soa).toMatch(/IN\s+SOA\s+ns\.sluice\.internal\./);
      expect(soa).not.toMatch(DOUBT);
      expect(tsigOf(soa)).toMatchObject({
        algorithm: `${algorithm}.`,
        error: 'NOERROR',
        macOctets,
        otherOctets: 0,
      });

      const transfer = await query(tool, sluice, 'AXFR', key);
      expect(transfer).not.toMatch(DOUBT);
      // A name and what is below it make two records each.
      expect(transfer.match(/\sIN\s+CNAME\s+\./g)?.length).toBeGreaterThanOrEqual(2 * NAMES);
      expect(transfer.match(/\sIN\s+SOA\s/g)).toHaveLength(2);
      // Many messages, each signed over the one before (RFC 8945 section 5.3.1).
      expect(Number(/(?:messages |\()(\d+)(?:,| messages)/.exec(transfer)?.[1])).toBeGreaterThan(5);
    },
  );

  it('is refused with BADSIG, unsigned, when its secret is wrong', async () => {
    const key = { ...keys.get('hmac-sha256')!, secret: Buffer.alloc(32, 1).toString('base64') };
    await expectRefusal(key, 'BADSIG');
  });

  it('is refused with BADKEY, unsigned, when nobody has its key', async () => {
    const key = { ...keys.get('hmac-sha256')!, name: 'nobody.key.main.sluice.internal' };
    await expectRefusal(key, 'BADKEY');
  });

  it.each(['hmac-sha384', 'hmac-sha512', ...OLD_ALGORITHMS])(
    'is refused with BADKEY when it signs with %s and a key for hmac-sha256',
    async (algorithm) => {
      await expectRefusal({ ...keys.get('hmac-sha256')!, algorithm }, 'BADKEY');
    },
  );

  it('is refused without a key', async () => {
    expect(await query(tool, sluice, 'SOA')).toContain('status: REFUSED');
    expect(await query(tool, sluice, 'AXFR')).not.toMatch(/\sSOA\s+ns\./);
  });

  it('is answered under both keys during a rotation, and the old one ends once the new one was used', async () => {
    const name = `turn-${tool}`;
    const { id, key: before } = await sluice.addDevice({ name, type: 'dns', policyId });
    const keysShown = async () => (await sluice.ok('GET', `/devices/${id}/keys`)).items;
    const rotated = await sluice.ok('POST', `/devices/${id}/keys/rotate`, { overlap: null });
    const after = {
      name: String(rotated.key?.name),
      algorithm: String(rotated.key?.algorithm),
      secret: String(rotated.secret),
    };
    expect(await query(tool, sluice, 'AXFR', before)).toMatch(/\sSOA\s+ns\./);
    expect(await keysShown()).toMatchObject([
      { uses: 1, lastUsedFrom: '127.0.0.1', expiresAt: null },
      { uses: 0, firstUsedAt: null },
    ]);
    const soa = await query(tool, sluice, 'SOA', after);
    expect(soa).toMatch(/\sSOA\s+ns\./);
    expect(soa).not.toMatch(DOUBT);
    await expect.poll(keysShown).toMatchObject([{ expiresAt: expect.any(String) }, { uses: 1 }]);
    expect(await query(tool, sluice, 'SOA', before)).toMatch(/\sSOA\s+ns\./);
    const { warnings } = await sluice.ok('GET', `/devices/${id}`);
    expect(warnings).toMatchObject([expect.stringContaining('was still used on')]);
  });

  async function expectRefusal(key: Key, error: string): Promise<void> {
    const soa = await query(tool, sluice, 'SOA', key);
    // kdig shows the error of the TSIG record in the place of the RCODE.
    expect(soa).toContain(`status: ${tool === 'dig' ? 'NOTAUTH' : error}`);
    expect(soa).not.toMatch(/\sSOA\s+ns\./);
    // RFC 8945 sections 5.2.1 and 5.2.2: neither error is signed.
    expect(tsigOf(soa)).toMatchObject({ error, macOctets: 0, otherOctets: 0 });
    const transfer = await query(tool, sluice, 'AXFR', key);
    expect(transfer).toMatch(new RegExp(`${error}[\\s\\S]*fail`, 'i'));
    expect(transfer).not.toMatch(/\s(SOA\s+ns\.|CNAME)\s/);
  }
});

describe.skipIf(!installed)('A server whose clock is an hour ahead', () => {
  let sluice: SluicePrimary;
  let key: Key;
  beforeAll(async () => {
    sluice = await startPrimary({ clock: () => Date.now() + HOUR_MS });
    const policyId = await addPolicy(sluice, ['evil.example']);
    key = (await sluice.addDevice({ name: 'r', type: 'dns', policyId })).key!;
  });
  afterAll(() => sluice?.stop());

  it.each(TOOLS)('tells %s BADTIME, signed, with its own time as other data', async (tool) => {
    const now = Math.floor(Date.now() / 1000);
    const soa = await query(tool, sluice, 'SOA', key);
    // Said only after the MAC was found right: dig and kdig say something else of a wrong one.
    expect(soa).toMatch(/clocks are unsynchronized|TSIG out of time window/);
    const { error, macOctets, otherOctets, time } = tsigOf(soa);
    expect({ error, macOctets, otherOctets }).toEqual({
      error: 'BADTIME',
      macOctets: 32,
      otherOctets: 6,
    });
    // RFC 8945 section 5.2.3: the time signed is the client's, so that it can verify the answer.
    expect(Math.abs(time - now)).toBeLessThan(30);
    const other = /BADTIME 6 (\S+)/.exec(soa)?.[1] ?? '';
    const serverTime =
      tool === 'dig' ? Buffer.from(other, 'base64').readUIntBE(0, 6) : Number(other);
    expect(Math.abs(serverTime - now - HOUR_MS / 1000)).toBeLessThan(30);

    const transfer = await query(tool, sluice, 'AXFR', key);
    expect(transfer).toContain('BADTIME');
    expect(transfer).not.toMatch(/\sCNAME\s/);
  });
});

describe.skipIf(!installed)('hmac-sha1 and hmac-md5', () => {
  it.each(OLD_ALGORITHMS)('%s is offered for no key by default', async (algorithm) => {
    const sluice = await startPrimary();
    const policyId = await addPolicy(sluice, ['evil.example']);
    const { id } = await sluice.addDevice({ name: 'r', type: 'dns', policyId });
    expect(await sluice.call('POST', `/devices/${id}/keys`, { algorithm })).toMatchObject({
      status: 422,
      body: { type: '/api/v1/problems/key-algorithm', value: algorithm },
    });
    await sluice.stop();
  });

  it('work, each by a setting of its own, when the configuration allows them', async () => {
    for (const algorithm of OLD_ALGORITHMS) {
      const setting = algorithm === 'hmac-sha1' ? 'allowSha1' : 'allowMd5';
      const sluice = await startPrimary({ settings: { tsig: { [setting]: true } } });
      const policyId = await addPolicy(sluice, ['evil.example']);
      const { id, key } = await sluice.addDevice({ name: 'r', type: 'dns', policyId, algorithm });
      for (const tool of TOOLS) {
        for (const type of ['SOA', 'AXFR'] as const) {
          const answer = await query(tool, sluice, type, key!);
          expect(answer, `${tool} ${algorithm}`).toMatch(/\sSOA\s+ns\./);
          expect(answer, `${tool} ${algorithm}`).not.toMatch(DOUBT);
        }
      }
      const other = OLD_ALGORITHMS.find((name) => name !== algorithm)!;
      const refused = await sluice.call('POST', `/devices/${id}/keys`, { algorithm: other });
      expect(refused.status).toBe(422);
      await sluice.stop();
    }
  });
});
