import {
  isNewerSerial,
  type Name,
  namesEqual,
  type ResourceRecord,
  RRTYPE,
  type Serial,
  serial,
} from '../../dns/index.ts';

/** What takes the records of a transfer, in their order and without its SOA records. */
export interface TransferSink {
  /** All of the zone comes now, or else what changed. Called once, before any record. */
  begin(isWhole: boolean): void;
  add(record: ResourceRecord): void;
  remove(record: ResourceRecord): void;
}

/** How a transfer ended: the serial that the primary has, and whether there was anything new. */
export interface TransferEnd {
  readonly serial: Serial;
  readonly isCurrent: boolean;
}

/** Follows the records of an answer to AXFR or IXFR. */
export interface TransferReader {
  /** The end, once the last record has come; null before. Throws TransferFault. */
  accept(record: ResourceRecord): TransferEnd | null;
  /** What is known when an answer ends with the message that just came: an answer by its SOA alone. */
  endOfMessage(): TransferEnd | null;
}

/** The records do not stand in the order of a transfer. */
export class TransferFault extends Error {
  override readonly name = 'TransferFault';
}

const SOA_FIXED_OCTETS = 20;

/**
 * RFC 5936 section 2.2: SOA, the zone, SOA. RFC 1995 section 4: a second SOA right behind the first
 * begins what changed, deletions led by the old SOA and additions by the new one, step by step; the
 * first SOA alone says that there is nothing new.
 */
export function createTransferReader(
  zone: Name,
  have: Serial | null,
  sink: TransferSink,
): TransferReader {
  let target: Serial | null = null;
  let mode: 'first' | 'whole' | 'removing' | 'adding' | 'done' = 'first';
  /** The serial that the steps so far lead to. */
  let reached: Serial | null = have;
  let records = 0;

  const done = (isCurrent: boolean): TransferEnd => {
    mode = 'done';
    return { serial: target!, isCurrent };
  };
  const acceptSoa = (at: Serial): TransferEnd | null => {
    switch (mode) {
      case 'first':
        if (at === target) {
          sink.begin(true);
          return done(false);
        }
        if (at !== have) throw new TransferFault(`the changes begin at serial ${at}`);
        sink.begin(false);
        mode = 'removing';
        return null;
      case 'whole':
        if (at !== target) throw new TransferFault(`the zone ends with serial ${at}`);
        return done(false);
      case 'removing':
        reached = at;
        mode = 'adding';
        return null;
      case 'adding':
        if (at !== reached) throw new TransferFault(`a step begins at serial ${at}`);
        if (at === target) return done(false);
        mode = 'removing';
        return null;
      case 'done':
        throw new TransferFault('records come behind the end');
    }
  };

  return {
    accept(record) {
      const isApexSoa = record.type === RRTYPE.SOA && namesEqual(record.name, zone);
      records++;
      if (target === null) {
        if (!isApexSoa) throw new TransferFault('the first record is not the SOA of the zone');
        target = serialOf(record);
        return null;
      }
      if (isApexSoa) return acceptSoa(serialOf(record));
      if (mode === 'first') {
        sink.begin(true);
        mode = 'whole';
      }
      if (mode === 'done') throw new TransferFault('records come behind the end');
      if (mode === 'removing') sink.remove(record);
      else sink.add(record);
      return null;
    },
    endOfMessage() {
      if (records !== 1 || target === null || have === null) return null;
      // RFC 1995 section 2: the server has nothing newer than the client.
      return isNewerSerial(target, have) ? null : done(true);
    },
  };
}

function serialOf({ rdata }: ResourceRecord): Serial {
  if (rdata.length < SOA_FIXED_OCTETS) throw new TransferFault('an SOA record is cut short');
  const view = new DataView(rdata.buffer, rdata.byteOffset, rdata.length);
  return serial(view.getUint32(rdata.length - SOA_FIXED_OCTETS));
}
