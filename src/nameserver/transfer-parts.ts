import type { Catalogue } from '../indicators/catalogue.ts';
import { MessageNames } from '../zone/message-names.ts';
import type { PositionedRecord } from '../zone/records.ts';
import { encodeRules } from '../zone/rpz-encode.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import { emptyFrame, type Frame, type FrameCache, type FrameList } from './frame-cache.ts';

/** A message that is being filled; its question names the zone at offset 12. */
export interface OpenMessage {
  readonly buffer: Uint8Array;
  readonly start: number;
  at: number;
  records: number;
}

/** One part of a transfer. `write` puts as much as fits into the message; true when nothing is left. */
export interface TransferPart {
  write(message: OpenMessage): boolean;
  /** Its client is gone: `write` is not called any more. */
  close?(): void;
}

/** Compression pointers reach no further, so messages end about here. */
const MESSAGE_OCTETS_AIM = 16_384;
const POINTER_OFFSET_MAX = 0x3fff;

/**
 * Records one after the other, each with the zone's name as a pointer, and a repeated owner, or the
 * owner in that of the wildcard below it, as another.
 */
export function recordsPart(records: Iterator<PositionedRecord>): TransferPart {
  let held: PositionedRecord | null = null;
  let lastLabels: Uint8Array | null = null;
  let lastOffset = 0;
  return {
    write(message) {
      // Offsets of the message before mean nothing in this one.
      lastLabels = null;
      for (;;) {
        if (held === null) {
          const { done, value } = records.next();
          if (done) return true;
          held = value;
        }
        const { labels, tail } = held;
        const octets = labels.length + 2 + tail.length;
        const used = message.at - message.start;
        if (used + octets > MESSAGE_OCTETS_AIM && message.records > 0) return false;
        const near: Uint8Array | null = lastOffset <= POINTER_OFFSET_MAX ? lastLabels : null;
        if (labels === near && labels.length > 0) {
          writePointer(message, lastOffset);
        } else if (near !== null && isWildcardBelow(labels, near)) {
          message.buffer.set(STAR, message.at);
          message.at += STAR.length;
          writePointer(message, lastOffset);
          lastLabels = labels;
          lastOffset = used;
        } else {
          lastLabels = labels;
          lastOffset = used;
          message.buffer.set(labels, message.at);
          message.at += labels.length;
          writePointer(message, ORIGIN_OFFSET);
        }
        message.buffer.set(tail, message.at);
        message.at += tail.length;
        message.records++;
        held = null;
      }
    },
  };
}

const STAR = Uint8Array.of(1, 0x2a);

function isWildcardBelow(labels: Uint8Array, owner: Uint8Array): boolean {
  if (labels.length !== STAR.length + owner.length || owner.length === 0) return false;
  if (labels[0] !== STAR[0] || labels[1] !== STAR[1]) return false;
  for (let index = 0; index < owner.length; index++) {
    if (labels[STAR.length + index] !== owner[index]) return false;
  }
  return true;
}

/** All rules of an RPZ zone: frames that are ready are copied, the others encoded in place and kept. */
export function framesPart(
  snapshot: ZoneSnapshot,
  catalogue: Catalogue,
  cache: FrameCache,
): TransferPart {
  const list = cache.framesOf(snapshot);
  let frame: Frame | null = list.first;
  return {
    write(message) {
      const startsAt = message.at - message.start;
      while (frame !== null) {
        // Empty stretches take no room, so the next one may begin where this one does.
        const isFirst = message.at - message.start === startsAt;
        if (!isFirst) return false;
        if (frame.octets !== null && (frame.startsAt === startsAt || frame.records === 0)) {
          message.buffer.set(frame.octets, message.at);
          message.at += frame.octets.length;
          message.records += frame.records;
        } else {
          encodeFrame({ frame, message, list, catalogue, cache });
        }
        frame = frame.next;
      }
      return true;
    },
  };
}

/** Of the frame that is being encoded: a frame is encoded in one go. */
const names = new MessageNames();

function encodeFrame(options: {
  readonly frame: Frame;
  readonly message: OpenMessage;
  readonly list: FrameList;
  readonly catalogue: Catalogue;
  readonly cache: FrameCache;
}): void {
  const { frame, message, list, catalogue, cache } = options;
  const { content, rendering } = list.body;
  const from = message.at;
  names.begin();
  const encoded = encodeRules({
    catalogue,
    content,
    rendering,
    from: frame.from,
    to: frame.next?.from ?? null,
    buffer: message.buffer,
    messageStart: message.start,
    at: from,
    limit: message.start + MESSAGE_OCTETS_AIM,
    names,
  });
  // More than one message holds: the rest becomes a stretch of its own.
  if (encoded.next !== null) frame.next = { ...emptyFrame(encoded.next), next: frame.next };
  message.at = encoded.at;
  message.records += encoded.records;
  const octets = message.buffer.slice(from, encoded.at);
  cache.keep(list, frame, { octets, records: encoded.records, startsAt: from - message.start });
}

const ORIGIN_OFFSET = 12;

function writePointer(message: OpenMessage, offset: number): void {
  message.buffer[message.at++] = 0xc0 | (offset >>> 8);
  message.buffer[message.at++] = offset & 0xff;
}
