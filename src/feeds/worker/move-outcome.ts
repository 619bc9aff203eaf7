import { inCanonicalOrder } from '../../indicators/canonical-order.ts';
import type { PackedIndicators } from '../../indicators/indicator.ts';
import type { FeedOutcome } from './feed-job.ts';

/** Fewer indicators are taken in as they come: nobody notices their order. */
const ORDERED_MIN = 10_000;

/** An outcome for another thread, and the buffers that move there with it. */
export interface MovedOutcome {
  readonly value: FeedOutcome;
  readonly transfer: ArrayBuffer[];
}

/**
 * Makes the packed indicators of an outcome ready to move: nothing of them is copied when posted,
 * and this side has them no longer.
 */
export function moveOutcome(outcome: FeedOutcome): MovedOutcome {
  if (outcome.kind !== 'content') return { value: outcome, transfer: [] };
  const transfer: ArrayBuffer[] = [];
  const packed = movable(inOrderOfZone(outcome.content.packed), transfer);
  const withdrawn = movable(outcome.content.withdrawn, transfer);
  return { value: { ...outcome, content: { ...outcome.content, packed, withdrawn } }, transfer };
}

/** Large lists get their ids in this order; the main thread has no time to put them in it. */
function inOrderOfZone(packed: PackedIndicators): PackedIndicators {
  return packed.count > ORDERED_MIN ? inCanonicalOrder(packed) : packed;
}

function movable(packed: PackedIndicators, transfer: ArrayBuffer[]): PackedIndicators {
  return {
    count: packed.count,
    kinds: withOwnBuffer(packed.kinds, transfer),
    ends: withOwnBuffer(packed.ends, transfer),
    keys: withOwnBuffer(packed.keys, transfer),
  };
}

/** A view of a part would take all of its buffer along, or take it away from another view. */
export function withOwnBuffer<View extends Uint8Array | Uint32Array>(
  view: View,
  transfer: ArrayBuffer[],
): View {
  // Nothing to move; and all that is empty may be one and the same.
  if (view.byteLength === 0) return view;
  const { buffer } = view;
  const isOwner =
    buffer instanceof ArrayBuffer &&
    view.byteLength === buffer.byteLength &&
    !transfer.includes(buffer);
  const moved = (isOwner ? view : view.slice()) as View & { readonly buffer: ArrayBuffer };
  transfer.push(moved.buffer);
  return moved;
}
