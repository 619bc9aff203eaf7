import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

export const VAULT_KEY_OCTETS = 32;

/**
 * A sealed text is form (1 octet), nonce (12), ciphertext, tag (16): AES-256-GCM with the sizes of
 * NIST SP 800-38D. Nonces are random; section 8.3 there allows 2^32 of them under one key, and a
 * nonce is used per stored key only.
 */
const FORM = 1;
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;

/**
 * Seals texts under one key. What a text belongs to goes in as additional data, so that a sealed
 * row that someone copied over another one does not open there.
 */
export interface Vault {
  seal(kind: string, id: number, text: string): Uint8Array;
  /** Null when it was not sealed under this key for this kind and id, or was changed since. */
  unseal(kind: string, id: number, sealed: Uint8Array): string | null;
}

export function createVault(key: Uint8Array): Vault {
  return {
    seal(kind, id, text) {
      const nonce = randomBytes(NONCE_OCTETS);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_OCTETS });
      cipher.setAAD(additionalData(kind, id));
      const parts = [cipher.update(text, 'utf8'), cipher.final()];
      return Buffer.concat([Uint8Array.of(FORM), nonce, ...parts, cipher.getAuthTag()]);
    },

    unseal(kind, id, sealed) {
      const textStart = 1 + NONCE_OCTETS;
      const textEnd = sealed.length - TAG_OCTETS;
      if (sealed[0] !== FORM || textEnd < textStart) return null;
      const nonce = sealed.subarray(1, textStart);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_OCTETS });
      decipher.setAAD(additionalData(kind, id));
      decipher.setAuthTag(sealed.subarray(textEnd));
      const text = decipher.update(sealed.subarray(textStart, textEnd));
      try {
        return Buffer.concat([text, decipher.final()]).toString('utf8');
      } catch {
        return null; // final() throws when the tag does not fit, and for nothing else.
      }
    },
  };
}

function additionalData(kind: string, id: number): Uint8Array {
  return Buffer.from(`sluice ${FORM} ${kind} ${id}`, 'utf8');
}
