import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createPasswordDesk } from '../../src/http/password-desk.ts';
import { hashPassword, verifyPassword } from '../../src/http/password-hash.ts';
import { HttpProblem } from '../../src/http/problem.ts';

const COST = { N: 1_024, r: 8, p: 1 };
const deskAt = (cost = COST) => createPasswordDesk({ randomBytes, cost });

describe('a stored password hash', () => {
  it('is scrypt as RFC 7914 section 12 has it', async () => {
    const salt = Buffer.from('SodiumChloride');
    const stored = await hashPassword('pleaseletmein', salt, { N: 16_384, r: 8, p: 1 });
    const hash = '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2';
    const parts = ['scrypt', 16_384, 8, 1, 'U29kaXVtQ2hsb3JpZGU', base64url(hash)];
    expect(stored).toBe(parts.join('$'));
  });

  it('is compared at the cost that it was made at', async () => {
    const stored = await deskAt().hash('correct horse');
    const desk = deskAt({ N: 4_096, r: 8, p: 2 });
    expect(await desk.verify('correct horse', stored)).toBe(true);
    expect(await desk.verify('correct horsf', stored)).toBe(false);
    expect(await desk.verify('correct horse', null)).toBe(false);
    expect(desk.isOutdated(stored)).toBe(true);
    expect(desk.isOutdated(await desk.hash('correct horse'))).toBe(false);
  });

  it('that is damaged is our error, and asks for no memory', async () => {
    const salt = base64url('00'.repeat(16));
    const hash = base64url('00'.repeat(32));
    const damaged = [
      '',
      `bcrypt$1024$8$1$${salt}$${hash}`,
      `scrypt$1024$8$1$${salt}$AAAA`,
      `scrypt$1073741824$8$1$${salt}$${hash}`,
      `scrypt$0$8$1$${salt}$${hash}`,
    ];
    for (const stored of damaged) {
      await expect(verifyPassword('x', stored), stored).rejects.toThrow('is damaged');
    }
  });
});

describe('the password desk', () => {
  it('works on two at a time, lets sixty-four wait, and turns the next away', async () => {
    const desk = deskAt();
    const asked = Array.from({ length: 68 }, () => desk.verify('x', null));
    const settled = await Promise.allSettled(asked);
    const refused = settled.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(2);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      expect(reason).toBeInstanceOf(HttpProblem);
      expect(reason.problem).toBe('unavailable');
    }
    // All places are free again.
    const again = Array.from({ length: 66 }, () => desk.verify('x', null));
    expect(await Promise.all(again)).toEqual(Array(66).fill(false));
  });
});

function base64url(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64url');
}
