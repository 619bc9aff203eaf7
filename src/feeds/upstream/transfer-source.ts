import { parseName, type TsigKey } from '../../dns/index.ts';
import type { FeedSource } from '../../policy/model.ts';

export type TransferSource = Extract<FeedSource, { readonly kind: 'transfer' }>;

/** The key as the codec has it. */
export function keyOf({ key }: TransferSource): TsigKey | null {
  if (key === null) return null;
  const secret = Uint8Array.from(Buffer.from(key.secret, 'base64'));
  return { name: parseName(key.name), algorithm: key.algorithm, secret };
}
