/**
 * Collects the answers to all queries of one read, each with its length in front, so that one
 * write carries them (RFC 7766 section 8: length and message together).
 */
export interface AnswerGatherer {
  /** False when there is no room: take what is there, then add again. It then always fits. */
  add(answer: Uint8Array): boolean;
  /** All that was added since the last time, as octets of their own; null when there is nothing. */
  take(): Buffer | null;
}

const LENGTH_OCTETS = 2;
export const MESSAGE_OCTETS_MAX = 65_535;
/** The largest answer with its length fits, whatever was asked. */
const GATHERED_OCTETS_MAX = LENGTH_OCTETS + MESSAGE_OCTETS_MAX;

/** One is enough for all connections: what is added is taken before the next chunk is looked at. */
export function createAnswerGatherer(): AnswerGatherer {
  const gathered = Buffer.allocUnsafeSlow(GATHERED_OCTETS_MAX);
  let used = 0;
  return {
    add(answer) {
      if (used + LENGTH_OCTETS + answer.length > GATHERED_OCTETS_MAX) return false;
      gathered[used] = answer.length >> 8;
      gathered[used + 1] = answer.length;
      gathered.set(answer, used + LENGTH_OCTETS);
      used += LENGTH_OCTETS + answer.length;
      return true;
    },
    take() {
      if (used === 0) return null;
      const octets = Buffer.allocUnsafe(used);
      gathered.copy(octets, 0, 0, used);
      used = 0;
      return octets;
    },
  };
}
