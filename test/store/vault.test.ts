import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createVault, VAULT_KEY_OCTETS } from '../../src/store/vault.ts';

const vault = createVault(randomBytes(VAULT_KEY_OCTETS));

describe('the vault', () => {
  it('gives back what it sealed, and never seals the same text to the same octets', () => {
    for (const text of ['', '{"secret":"ü€😀"}', 'x'.repeat(100_000)]) {
      const sealed = vault.seal('key', 7, text);
      expect(vault.unseal('key', 7, sealed)).toBe(text);
      expect(vault.seal('key', 7, text)).not.toEqual(sealed);
    }
  });

  it('does not open what was sealed for another kind or id', () => {
    const sealed = vault.seal('key', 7, 'secret');
    expect(vault.unseal('key', 8, sealed)).toBeNull();
    expect(vault.unseal('token', 7, sealed)).toBeNull();
  });

  it('does not open what was sealed with another key', () => {
    const other = createVault(randomBytes(VAULT_KEY_OCTETS));
    expect(other.unseal('key', 7, vault.seal('key', 7, 'secret'))).toBeNull();
  });

  it('does not open anything in which one bit was turned, or that was cut', () => {
    const sealed = vault.seal('key', 7, 'secret');
    for (let octet = 0; octet < sealed.length; octet++) {
      const altered = Uint8Array.from(sealed);
      altered[octet] ^= 1;
      expect(vault.unseal('key', 7, altered)).toBeNull();
      expect(vault.unseal('key', 7, sealed.subarray(0, octet))).toBeNull();
    }
  });
});
