import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Catalogue } from '../indicators/catalogue.ts';
import { MessageNames } from '../zone/message-names.ts';
import { encodeRules, type RpzCursor } from '../zone/rpz-encode.ts';
import type { ZoneBody, ZoneSnapshot } from '../zone/snapshot.ts';

/** Of the rules of each state; V8 has compiled the encoding of that shape before their end. */
const MESSAGES_PER_STATE = 25;
const MESSAGES_MAX = 200;
const SLICE_MS = 2;

const MESSAGE_OCTETS = 16_384;
/** About where a message has its question's end. */
const RULES_AT = 64;

/**
 * Encodes a little of every kind of rule in the largest zone and throws it away. V8 interprets what
 * was not called often, and compiles again what meets a new kind: in the first transfer of 1,000,000
 * rules after a start that was half of the time. Queries have their turns in between. Resolves with
 * the number of messages that were encoded.
 */
export async function warmEncoder(
  zones: Iterable<ZoneSnapshot>,
  catalogue: Catalogue,
): Promise<number> {
  const body = largestRules(zones);
  if (body === null) return 0;
  const { content, rendering } = body;
  const names = new MessageNames();
  const buffer = new Uint8Array(2 * MESSAGE_OCTETS);
  let messages = 0;
  let sliceFrom = performance.now();
  for (const state of content.keys()) {
    let from: RpzCursor | null = { state, id: 0 };
    for (let ofState = 0; ofState < MESSAGES_PER_STATE && from?.state === state; ofState++) {
      if (messages === MESSAGES_MAX) return messages;
      names.begin();
      const place = { buffer, messageStart: 0, at: RULES_AT, limit: MESSAGE_OCTETS };
      from = encodeRules({ catalogue, content, rendering, from, to: null, names, ...place }).next;
      messages++;
      if (performance.now() - sliceFrom < SLICE_MS) continue;
      await nextTurn();
      sliceFrom = performance.now();
    }
  }
  return messages;
}

function largestRules(
  zones: Iterable<ZoneSnapshot>,
): Extract<ZoneBody, { readonly kind: 'rpz' }> | null {
  let largest: Extract<ZoneBody, { readonly kind: 'rpz' }> | null = null;
  let most = 0;
  for (const { body, records } of zones) {
    if (body.kind !== 'rpz' || records <= most) continue;
    most = records;
    largest = body;
  }
  return largest;
}
