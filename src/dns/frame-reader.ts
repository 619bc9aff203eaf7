/**
 * Cuts a TCP stream into messages by their two length octets (RFC 1035 section 4.2.2), wherever
 * the chunks begin and end. Messages that lie whole in a chunk are views of it: nothing is copied.
 */
export interface FrameReader {
  push(chunk: Uint8Array): void;
  /** The next whole message, without its length; valid until the next `push`. Null when there is none. */
  next(): Uint8Array | null;
  /** Whether octets of an unfinished message are held. Ask after `next` returned null. */
  isPartial(): boolean;
}

const LENGTH_OCTETS = 2;
const NOTHING = new Uint8Array(0);

/** Holds at most what is left of one chunk, or one message, with a chunk behind it. */
export function createFrameReader(): FrameReader {
  let held: Uint8Array = NOTHING;
  let start = 0;
  let end = 0;
  let owned = false;

  const next = (): Uint8Array | null => {
    if (end - start < LENGTH_OCTETS) return null;
    const first = start + LENGTH_OCTETS;
    const after = first + ((held[start] << 8) | held[start + 1]);
    if (after > end) return null;
    start = after;
    return held.subarray(first, after);
  };

  const push = (chunk: Uint8Array): void => {
    if (start === end) {
      held = chunk;
      start = 0;
      end = chunk.length;
      owned = false;
      return;
    }
    const kept = end - start;
    if (!owned || held.length - end < chunk.length) {
      // Doubling keeps a message that arrives octet by octet from being copied for each of them.
      const grown = new Uint8Array(2 * (kept + chunk.length));
      grown.set(held.subarray(start, end));
      held = grown;
      start = 0;
      end = kept;
      owned = true;
    }
    held.set(chunk, end);
    end += chunk.length;
  };

  return {
    push,
    next() {
      const frame = next();
      if (frame === null && start === end) {
        held = NOTHING;
        start = 0;
        end = 0;
      }
      return frame;
    },
    isPartial: () => end > start,
  };
}
