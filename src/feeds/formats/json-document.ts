import { asBuffer, textStart } from './feed-lines.ts';
import type { FeedReason } from './feed-reasons.ts';
import { parseJsonInParts } from './json-parts.ts';

export type JsonDocument =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly unreadable: { readonly reason: FeedReason; readonly text: string };
    };

/** Reads the octets as one document. Throws only what the checkpoint throws. */
export function parseJsonDocument(
  octets: Uint8Array,
  checkpoint: () => void = () => {},
): JsonDocument {
  try {
    return { ok: true, value: parseJsonInParts(asBuffer(octets), textStart(octets), checkpoint) };
  } catch (error) {
    if (error instanceof SyntaxError) return refuse('bad-json', error);
    if (error instanceof RangeError) return refuse('too-large', error);
    throw error;
  }
}

function refuse(reason: FeedReason, error: Error): JsonDocument {
  return { ok: false, unreadable: { reason, text: error.message.slice(0, 200) } };
}
