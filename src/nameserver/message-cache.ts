import { formatName } from '../dns/name.ts';
import type { Serial } from '../dns/serial.ts';
import type { PositionedRecord } from '../zone/records.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import type { BudgetHolder, OctetBudget } from './octet-budget.ts';
import { type OpenMessage, recordsPart, type TransferPart } from './transfer-parts.ts';

/**
 * The messages of transfers that several clients ask for: the changes from one serial to another, or
 * a zone that is not made of rules. All devices of a policy follow a change together, and what stands
 * behind the question is the same for all of them: it is rendered for the one that comes there first
 * and copied for the others.
 */
export interface MessageCache {
  /**
   * One client's way through the records of a snapshot: all of them, or from a serial the changes.
   * `records` gives the same ones each time. Nothing is encoded before a client has room for it.
   */
  open(
    snapshot: ZoneSnapshot,
    from: Serial | null,
    records: () => Iterator<PositionedRecord>,
  ): TransferPart;
}

/** One transfer takes no more of the budget than this share: longer ones are rendered for each client. */
const SHARE_MAX = 1 / 4;
/** What an encoding takes besides its messages, so that the budget bounds how many there are. */
const ENCODING_OCTETS = 4 * 1024;

/** The answer records of one message, as they stand behind its question. */
interface Chunk {
  readonly octets: Uint8Array;
  readonly records: number;
}

interface Encoding extends BudgetHolder {
  /** Renders what no client has asked for yet. */
  readonly source: TransferPart;
  readonly chunks: Chunk[];
  octets: number;
  /** Whether the last chunk is there. */
  isWhole: boolean;
  /** False when it was too long, or its room went to others: then its clients go on by themselves. */
  isKept: boolean;
  /** Clients that are not through. */
  readers: number;
  /** Whether the zone has moved on: it goes with its last reader. */
  isSuperseded: boolean;
}

/** What is kept of a zone at its newest serial. */
interface ZoneEncodings {
  readonly snapshot: ZoneSnapshot;
  readonly byStart: Map<Serial | null, Encoding>;
}

export function createMessageCache(budget: OctetBudget): MessageCache {
  const zones = new Map<string, ZoneEncodings>();

  const zoneOf = (snapshot: ZoneSnapshot): ZoneEncodings => {
    const origin = formatName(snapshot.settings.origin);
    const known = zones.get(origin);
    if (known?.snapshot === snapshot) return known;
    for (const encoding of known?.byStart.values() ?? []) {
      encoding.isSuperseded = true;
      leaveUnread(encoding);
    }
    const zone: ZoneEncodings = { snapshot, byStart: new Map() };
    zones.set(origin, zone);
    return zone;
  };

  const start = (
    zone: ZoneEncodings,
    from: Serial | null,
    records: () => Iterator<PositionedRecord>,
  ): Encoding => {
    const encoding: Encoding = {
      source: recordsPart(records()),
      chunks: [],
      octets: ENCODING_OCTETS,
      isWhole: false,
      isKept: true,
      readers: 0,
      isSuperseded: false,
      giveUp() {
        drop(encoding);
        zone.byStart.delete(from);
        const origin = formatName(zone.snapshot.settings.origin);
        if (zone.byStart.size === 0 && zones.get(origin) === zone) zones.delete(origin);
      },
    };
    zone.byStart.set(from, encoding);
    if (!budget.grow(encoding, encoding.octets)) encoding.giveUp();
    return encoding;
  };

  const leaveUnread = (encoding: Encoding): void => {
    if (encoding.isSuperseded && encoding.readers === 0) budget.leave(encoding);
  };

  /** Encodes one more message in place and keeps a copy. */
  const encodeNext = (encoding: Encoding, message: OpenMessage): boolean => {
    const from = message.at;
    const before = message.records;
    const isWhole = encoding.source.write(message);
    const octets = message.buffer.slice(from, message.at);
    const total = encoding.octets + octets.length;
    if (total > budget.octetsMax * SHARE_MAX || !budget.grow(encoding, total)) {
      // It stays, empty, as a sign that another client need not try again.
      drop(encoding);
      budget.use(encoding, ENCODING_OCTETS);
    } else {
      encoding.octets = total;
      encoding.isWhole = isWhole;
      encoding.chunks.push({ octets, records: message.records - before });
    }
    return isWhole;
  };

  const read = (encoding: Encoding, records: () => Iterator<PositionedRecord>): TransferPart => {
    let next = 0;
    let written = 0;
    let isOpen = true;
    /** For a client whose encoding is no longer kept. */
    let own: TransferPart | null = null;
    encoding.readers++;
    const close = (): void => {
      if (!isOpen) return;
      isOpen = false;
      encoding.readers--;
      leaveUnread(encoding);
    };
    const writeShared = (message: OpenMessage): boolean => {
      const chunk = encoding.chunks[next++];
      if (chunk === undefined) {
        const isWhole = encodeNext(encoding, message);
        // Nobody else has the source, and it stands where this client does.
        if (!encoding.isKept) own = encoding.source;
        return isWhole;
      }
      budget.use(encoding, encoding.octets);
      message.buffer.set(chunk.octets, message.at);
      message.at += chunk.octets.length;
      message.records += chunk.records;
      return encoding.isWhole && next === encoding.chunks.length;
    };
    return {
      write(message) {
        if (own === null && !encoding.isKept) own = recordsPart(skipRecords(records(), written));
        const before = message.records;
        const isOver = own === null ? writeShared(message) : own.write(message);
        written += message.records - before;
        if (isOver) close();
        return isOver;
      },
      close,
    };
  };

  return {
    open(snapshot, from, records) {
      const zone = zoneOf(snapshot);
      const encoding = zone.byStart.get(from) ?? start(zone, from, records);
      return encoding.isKept ? read(encoding, records) : recordsPart(records());
    },
  };
}

function drop(encoding: Encoding): void {
  encoding.isKept = false;
  encoding.chunks.length = 0;
}

/** The same records from a later one on: what lies before was sent out of an encoding that is gone. */
function skipRecords(
  records: Iterator<PositionedRecord>,
  count: number,
): Iterator<PositionedRecord> {
  for (let skipped = 0; skipped < count; skipped++) records.next();
  return records;
}
