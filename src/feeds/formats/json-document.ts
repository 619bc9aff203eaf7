import { asBuffer, textStart } from './feed-lines.ts';
import type { FeedReason } from './feed-reasons.ts';

export type JsonDocument =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly unreadable: { readonly reason: FeedReason; readonly text: string };
    };

/** Reads the octets as one document. Nesting of any depth is an error of JSON.parse at worst. */
export function parseJsonDocument(octets: Uint8Array): JsonDocument {
  const refuse = (reason: FeedReason, error: unknown): JsonDocument => {
    const text = error instanceof Error ? error.message.slice(0, 200) : '';
    return { ok: false, unreadable: { reason, text } };
  };
  let text: string;
  try {
    text = asBuffer(octets).toString('utf8', textStart(octets));
  } catch (error) {
    // No string of V8 is longer than half a gigabyte.
    return refuse('too-large', error);
  }
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return refuse('bad-json', error);
  }
}
