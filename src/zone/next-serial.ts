import { addToSerial, isNewerSerial, type Serial, serial } from '../dns/serial.ts';

/**
 * The serial of a new content: the Unix time where that is higher than every serial of the zone so
 * far, else one more. Compared as plain numbers first, since some consumers do not know the wrap of
 * RFC 1982; only behind the last serial of the circle it goes round.
 */
export function nextSerial(previous: Serial | null, nowMs: number): Serial {
  const seconds = Math.min(0xffffffff, Math.max(1, Math.floor(nowMs / 1000)));
  if (previous === null) return serial(seconds);
  if (seconds > previous && isNewerSerial(serial(seconds), previous)) return serial(seconds);
  return previous === 0xffffffff ? serial(1) : addToSerial(previous, 1);
}
