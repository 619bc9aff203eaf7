import { PADDING_BLOCK_OCTETS, udpResponseOctetsMax } from '../dns/edns.ts';
import type { Message } from '../dns/message.ts';
import { formatName, namesEqual } from '../dns/name.ts';
import { readUint32 } from '../dns/octets.ts';
import type { EdnsFields } from '../dns/opt-record.ts';
import { RCODE, RRTYPE } from '../dns/registry.ts';
import { type Serial, serial } from '../dns/serial.ts';
import { createResponseSigner } from '../dns/tsig.ts';
import type { DeviceId } from '../policy/model.ts';
import { soaRrset } from '../zone/apex.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import type { AnswerEdns } from './answer-edns.ts';
import type { AskedEvent, Observer } from './directory-port.ts';
import type { Answer } from './handler-port.ts';
import { askedEvent } from './observed-events.ts';
import { AXFR_OVER_UDP, FORMERR } from './outcome.ts';
import type { Request } from './request.ts';
import { MESSAGE_OCTETS_MAX, type Responder } from './respond.ts';
import {
  planTransfer,
  type TransferPlan,
  type TransferSources,
  transferParts,
} from './transfer.ts';
import { isShortTransfer } from './transfer-size.ts';
import { createTransferStream, type TransferStream } from './transfer-stream.ts';

/** Answers AXFR and IXFR questions of a device that may have the zone. */
export type AnswerTransfer = (request: Request, zone: ZoneSnapshot, deviceId: DeviceId) => Answer;

export function createTransferAnswers(options: {
  readonly responder: Responder;
  readonly answerEdns: AnswerEdns;
  readonly observer: Observer;
  readonly udpOctetsMax: number;
  readonly nowSeconds: () => number;
  /** What is kept of transfers between them. */
  readonly caches: Omit<TransferSources, 'catalogue'>;
}): AnswerTransfer {
  const { responder, answerEdns, observer, udpOctetsMax, nowSeconds, caches } = options;
  /** One message and a little more, so that a second one shows that the first was not all. */
  const datagram = new Uint8Array(2 * (MESSAGE_OCTETS_MAX + 2));

  const openStream = (request: Request, zone: ZoneSnapshot, plan: TransferPlan): TransferStream => {
    const { message, verdict, directory } = request;
    return createTransferStream({
      id: message.id,
      question: message.questions[0],
      recursionDesired: message.recursionDesired,
      edns: paddedInLarge(answerEdns(request, { expire: zone.settings.expire })),
      signer: createResponseSigner(verdict, nowSeconds),
      parts: transferParts(zone, plan, { catalogue: directory.catalogue, ...caches }),
    });
  };

  /** RFC 1995 section 2: what does not fit into one packet is answered with the SOA, and the client comes by TCP. */
  const transferByUdp = (
    request: Request,
    zone: ZoneSnapshot,
    asked: AskedEvent,
    plan: TransferPlan,
  ): Answer => {
    const { message } = request;
    const { settings } = zone;
    const answer = { owner: message.questions[0].name, rrsets: [soaRrset(settings, zone.serial)] };
    const { expire } = settings;
    const soaAlone = { rcode: RCODE.NOERROR, authoritative: true, expire, answer };
    const instead = responder.limit(request, soaAlone);
    if (instead !== null) return instead;
    const limit = udpResponseOctetsMax(message.edns, udpOctetsMax);
    // What cannot fit is not even begun: anyone can send such queries in a device's name.
    if (plan.kind !== 'changes' || countChanged(plan) * RECORD_OCTETS_MIN > limit) {
      return responder.write(request, soaAlone);
    }
    const stream = openStream(request, zone, plan);
    const octets = stream.fill(datagram);
    stream.close();
    const length = (datagram[0] << 8) | datagram[1];
    if (octets !== length + 2 || length > limit) return responder.write(request, soaAlone);
    observer.answered(RCODE.NOERROR, 'udp');
    const outcome = { octets: length, durationMs: 0, completed: true };
    observer.transferred({ ...asked, kind: 'IXFR', ...outcome });
    return { kind: 'message', bytes: datagram.subarray(2, octets) };
  };

  return (request, zone, deviceId) => {
    const { message, peer } = request;
    const isIncremental = message.questions[0].type === RRTYPE.IXFR;
    const clientSerial = isIncremental ? serialOf(message, zone) : null;
    // RFC 1995 section 3: an IXFR query carries the client's SOA in its authority section.
    if (isIncremental && clientSerial === null) return responder.respond(request, FORMERR);
    if (peer.protocol === 'udp' && !isIncremental) return responder.respond(request, AXFR_OVER_UDP);
    const plan = planTransfer(zone, clientSerial);
    const asked = { ...askedEvent(request, zone, deviceId), clientSerial };
    if (plan.kind === 'current') observer.polled(asked);
    if (peer.protocol === 'udp') return transferByUdp(request, zone, asked, plan);
    const stream = openStream(request, zone, plan);
    const kind = plan.kind === 'full' ? 'AXFR' : 'IXFR';
    observer.answered(RCODE.NOERROR, peer.protocol);
    return {
      kind: 'stream',
      key: streamKey(request),
      isShort: isShortTransfer(zone, plan),
      fill: stream.fill,
      ended: (outcome) => {
        stream.close();
        if (plan.kind !== 'current') observer.transferred({ ...asked, kind, ...outcome });
      },
    };
  };
}

/**
 * RFC 9103 leaves the padding of transfers to servers, provided that the client pads. In blocks of
 * this size, nine of those of RFC 8467, changes of up to some dozen rules look alike, and so do the
 * messages of a long transfer, which end near 16,384 octets: of the zone an onlooker learns how many
 * of them it takes.
 */
const TRANSFER_PADDING_BLOCK_OCTETS = 9 * PADDING_BLOCK_OCTETS;

function paddedInLarge(edns: EdnsFields | null): EdnsFields | null {
  if (edns === null || edns.paddingBlock === undefined) return edns;
  return { ...edns, paddingBlock: TRANSFER_PADDING_BLOCK_OCTETS };
}

/** Whom limits on transfers count a stream for, besides its address. */
function streamKey({ requester, directory }: Request) {
  const { key } = requester;
  if (key === null) return null;
  return { name: formatName(key.name), transfersMax: directory.transfersMaxOf(key) };
}

/** Type, class, TTL, length and an owner that is a pointer: no record takes less. */
const RECORD_OCTETS_MIN = 12;

function countChanged({ revisions }: Extract<TransferPlan, { kind: 'changes' }>): number {
  return revisions.reduce(
    (sum, { recordsRemoved, recordsAdded }) => sum + recordsRemoved + recordsAdded,
    0,
  );
}

/** The serial of the SOA in an IXFR query's authority section: the last 20 octets of its rdata begin with it. */
function serialOf(message: Message, zone: ZoneSnapshot): Serial | null {
  const soa = message.authorities.find(
    ({ type, name }) => type === RRTYPE.SOA && namesEqual(name, zone.settings.origin),
  );
  if (soa === undefined || soa.rdata.length < SOA_FIXED_OCTETS) return null;
  return serial(readUint32(soa.rdata, soa.rdata.length - SOA_FIXED_OCTETS));
}

const SOA_FIXED_OCTETS = 20;
