import { EDNS_VERSION, type Edns, extendedErrorOption, udpResponseOctetsMax } from '../dns/edns.ts';
import { isMalformed, type Message, type Question, readMessage } from '../dns/message.ts';
import { createMessageWriter, type EdnsFields, type MessageWriter } from '../dns/message-writer.ts';
import { isWithin, lowerCaseName, type Name, namesEqual } from '../dns/name.ts';
import { readUint32 } from '../dns/octets.ts';
import { CLASS, EXTENDED_ERROR, OPCODE, RCODE, RRTYPE } from '../dns/registry.ts';
import { type Serial, serial } from '../dns/serial.ts';
import {
  createResponseSigner,
  type ResponseSigner,
  type TsigAlgorithm,
  type TsigVerdict,
  verifyRequest,
} from '../dns/tsig.ts';
import type { DeviceId } from '../policy/model.ts';
import { soaRrset } from '../zone/apex.ts';
import type { RelativeRrset } from '../zone/records.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import { createDifferenceCache } from './difference-cache.ts';
import type { Directory, Observer, Requester } from './directory-port.ts';
import { findAnswer } from './find-answer.ts';
import { createFrameCache } from './frame-cache.ts';
import type { Answer, Handler, Peer } from './handler-port.ts';
import { planTransfer, type TransferPlan, transferParts } from './transfer.ts';
import { createTransferStream } from './transfer-stream.ts';
import type { NotifyVerdict, Upstreams } from './upstream-port.ts';

const MESSAGE_OCTETS_MAX = 65_535;

export interface NameserverOptions {
  /** The directory of now; taken once per query, so that an answer is of one moment. */
  readonly directory: () => Directory;
  readonly observer: Observer;
  /** Unix milliseconds. */
  readonly clock: () => number;
  readonly tsigAlgorithms: readonly TsigAlgorithm[];
  /** Largest UDP answer, whatever the client offers: below the path's MTU. */
  readonly udpOctetsMax: number;
  readonly frameCacheOctets: number;
  /** Zones of others that are followed; without it every NOTIFY is answered NOTAUTH. */
  readonly upstreams?: () => Upstreams;
}

/** A query that has been read and checked as far as its sender is concerned. */
interface Request {
  readonly message: Message;
  readonly peer: Peer;
  readonly verdict: TsigVerdict;
  readonly requester: Requester;
  readonly directory: Directory;
}

/** How a request is refused or left without data: rcode, and for whom it helps an extended error (RFC 8914). */
interface Outcome {
  readonly rcode: number;
  readonly extendedError?: number;
  readonly authoritative?: boolean;
  readonly answer?: { readonly owner: Name; readonly rrsets: readonly RelativeRrset[] };
  readonly authority?: { readonly owner: Name; readonly soa: RelativeRrset };
}

/** The authoritative answers for all zones. It waits for nothing and keeps nothing but ready frames. */
export function createNameserver(options: NameserverOptions): Handler & { frameOctets(): number } {
  const { observer, clock, udpOctetsMax } = options;
  const buffer = new Uint8Array(MESSAGE_OCTETS_MAX);
  const writer = createMessageWriter(buffer);
  const frames = createFrameCache(options.frameCacheOctets);
  const differences = createDifferenceCache();
  const nowSeconds = () => Math.floor(clock() / 1000);

  const answerMalformed = (query: ReturnType<typeof readMessage>, peer: Peer): Answer => {
    if (!isMalformed(query) || query.id === null || query.isResponse) return { kind: 'none' };
    const { id, opcode, recursionDesired } = query;
    writer.start({ id, opcode, recursionDesired, isResponse: true, rcode: RCODE.FORMERR });
    if (query.question !== null) writer.question(query.question);
    observer.answered(RCODE.FORMERR, peer.protocol);
    return { kind: 'message', bytes: buffer.subarray(0, writer.finish()) };
  };

  const respond = (request: Request, outcome: Outcome): Answer => {
    const { message, peer, verdict } = request;
    const signer = createResponseSigner(verdict, nowSeconds);
    const limit =
      peer.protocol === 'tcp'
        ? MESSAGE_OCTETS_MAX
        : udpResponseOctetsMax(message.edns, udpOctetsMax);
    const length = writeResponse({ writer, message, outcome, signer, limit, udpOctetsMax });
    observer.answered(outcome.rcode, peer.protocol);
    return {
      kind: 'message',
      bytes: buffer.subarray(0, signer === null ? length : signer.sign(buffer, 0, length)),
    };
  };

  const openStream = (request: Request, zone: ZoneSnapshot, plan: TransferPlan) => {
    const { message, verdict, directory } = request;
    return createTransferStream({
      id: message.id,
      question: message.questions[0],
      recursionDesired: message.recursionDesired,
      edns: message.edns === null ? null : ednsOf(message.edns, udpOctetsMax),
      signer: createResponseSigner(verdict, nowSeconds),
      parts: transferParts(zone, plan, {
        catalogue: directory.catalogue,
        frames,
        differences,
      }),
    });
  };

  const transfer = (request: Request, zone: ZoneSnapshot, deviceId: DeviceId): Answer => {
    const { message, peer } = request;
    const question = message.questions[0];
    const isIncremental = question.type === RRTYPE.IXFR;
    const clientSerial = isIncremental ? serialOf(message, zone) : null;
    // RFC 1995 section 3: an IXFR query carries the client's SOA in its authority section.
    if (isIncremental && clientSerial === null) return respond(request, { rcode: RCODE.FORMERR });
    // RFC 5936 section 4.2: AXFR is not defined over UDP.
    if (peer.protocol === 'udp' && !isIncremental)
      return respond(request, { rcode: RCODE.FORMERR });
    const plan = planTransfer(zone, clientSerial);
    if (plan.kind === 'current') observer.polled({ deviceId, zone, address: peer.address });
    if (peer.protocol === 'udp') return transferByUdp(request, zone, deviceId, plan);
    const stream = openStream(request, zone, plan);
    const kind = plan.kind === 'full' ? 'AXFR' : 'IXFR';
    observer.answered(RCODE.NOERROR, 'tcp');
    return {
      kind: 'stream',
      fill: stream.fill,
      ended: (outcome) => {
        if (plan.kind === 'current') return;
        observer.transferred({ deviceId, zone, address: peer.address, kind, ...outcome });
      },
    };
  };

  /** RFC 1995 section 2: what does not fit into one packet is answered with the SOA, and the client comes by TCP. */
  const transferByUdp = (
    request: Request,
    zone: ZoneSnapshot,
    deviceId: DeviceId,
    plan: TransferPlan,
  ): Answer => {
    const { message, peer } = request;
    const limit = udpResponseOctetsMax(message.edns, udpOctetsMax);
    // What cannot fit is not even begun: anyone can send such queries in a device's name.
    if (plan.kind === 'changes' && countChanged(plan) * RECORD_OCTETS_MIN <= limit) {
      const stream = openStream(request, zone, plan);
      const octets = stream.fill(datagram);
      const length = (datagram[0] << 8) | datagram[1];
      if (octets === length + 2 && length <= limit) {
        observer.answered(RCODE.NOERROR, 'udp');
        const outcome = { octets: length, durationMs: 0, completed: true };
        observer.transferred({ deviceId, zone, address: peer.address, kind: 'IXFR', ...outcome });
        return { kind: 'message', bytes: datagram.subarray(2, octets) };
      }
    }
    const rrsets = [soaRrset(zone.settings, zone.serial)];
    const answer = { owner: message.questions[0].name, rrsets };
    return respond(request, { rcode: RCODE.NOERROR, authoritative: true, answer });
  };
  /** One message and a little more, so that a second one shows that the first was not all. */
  const datagram = new Uint8Array(2 * (MESSAGE_OCTETS_MAX + 2));

  const answerQuestion = (request: Request, question: Question): Answer => {
    const { directory, requester, peer } = request;
    const zone = directory.zoneOf(question.name);
    const isTransfer = question.type === RRTYPE.AXFR || question.type === RRTYPE.IXFR;
    if (zone === null) return respond(request, outsideZones(request, question, isTransfer));
    const deviceId = directory.authorise(zone, requester);
    if (deviceId === null) return respond(request, PROHIBITED);
    if (isTransfer) {
      const isApex = question.name.length === zone.settings.origin.length;
      if (!isApex) return respond(request, NOT_AUTHORITATIVE);
      return transfer(request, zone, deviceId);
    }
    const found = findAnswer(zone, question.name, question.type, directory);
    if (found.kind === 'answer') {
      if (question.type === RRTYPE.SOA) observer.polled({ deviceId, zone, address: peer.address });
      const answer = { owner: question.name, rrsets: found.rrsets };
      return respond(request, { rcode: RCODE.NOERROR, authoritative: true, answer });
    }
    return respond(request, {
      rcode: found.kind === 'no-name' ? RCODE.NXDOMAIN : RCODE.NOERROR,
      authoritative: true,
      authority: {
        owner: zone.settings.origin,
        soa: negativeSoa(zone.settings, zone.serial),
      },
    });
  };

  /**
   * RFC 1996 section 3.10: only a primary of a zone that is followed is heard. The answer is the
   * request with QR and AA (section 4.7); what the zone holds now is asked for afterwards.
   */
  const answerNotify = (request: Request, question: Question): Answer => {
    // RFC 1996 defines the telling of a new SOA only; of what else could be told, nothing is understood.
    if (question.type !== RRTYPE.SOA) return respond(request, { rcode: RCODE.NOTIMP });
    const { key, address } = request.requester;
    const event = { zone: lowerCaseName(question.name), address, key };
    const verdict = options.upstreams?.().notified(event) ?? 'not-followed';
    return respond(request, NOTIFY_OUTCOMES[verdict]);
  };

  const handle = (query: Uint8Array, peer: Peer): Answer => {
    const message = readMessage(query);
    if (isMalformed(message)) return answerMalformed(message, peer);
    if (message.isResponse) return { kind: 'none' };
    const directory = options.directory();
    const isNotify = message.opcode === OPCODE.NOTIFY;
    const verdict = verifyRequest({
      bytes: query,
      message,
      findKey: (name) =>
        (isNotify ? options.upstreams?.().findKey(name) : undefined) ?? directory.findKey(name),
      nowSeconds: nowSeconds(),
      allowedAlgorithms: options.tsigAlgorithms,
    });
    const key = verdict.kind === 'valid' ? verdict.key : null;
    const requester = { key, address: peer.address };
    const request: Request = { message, peer, verdict, requester, directory };
    const refusal = refuseByForm(message, verdict);
    if (refusal !== null) return respond(request, refusal);
    const [question] = message.questions;
    return isNotify ? answerNotify(request, question) : answerQuestion(request, question);
  };
  return Object.assign(handle, { frameOctets: frames.held });
}

const PROHIBITED: Outcome = {
  rcode: RCODE.REFUSED,
  extendedError: EXTENDED_ERROR.PROHIBITED,
};
const NOT_AUTHORITATIVE: Outcome = {
  rcode: RCODE.NOTAUTH,
  extendedError: EXTENDED_ERROR['NOT-AUTHORITATIVE'],
};

const NOTIFY_OUTCOMES: Readonly<Record<NotifyVerdict, Outcome>> = {
  taken: { rcode: RCODE.NOERROR, authoritative: true },
  stranger: PROHIBITED,
  // RFC 2136 section 2.2: not authoritative for the zone, which is all that is said of others.
  'not-followed': NOT_AUTHORITATIVE,
};

/** What can be refused without looking at zones; null for a query that deserves an answer. */
function refuseByForm(message: Message, verdict: TsigVerdict): Outcome | null {
  if (verdict.kind === 'invalid') return { rcode: verdict.rcode };
  // RFC 6891 section 6.1.3: a version above ours is answered with ours.
  if (message.edns !== null && message.edns.version > EDNS_VERSION) return { rcode: RCODE.BADVERS };
  if (message.opcode !== OPCODE.QUERY && message.opcode !== OPCODE.NOTIFY) {
    return { rcode: RCODE.NOTIMP };
  }
  // RFC 9619 section 4: a query has one question.
  if (message.questions.length !== 1) return { rcode: RCODE.FORMERR };
  if (message.questions[0].class !== CLASS.IN) return { rcode: RCODE.REFUSED };
  return null;
}

/**
 * Below the root but in no zone: a device learns that the policy does not exist, a stranger nothing.
 * There is no zone of the root to take a SOA from, so one is made of what all zones share.
 */
function outsideZones(
  { directory, requester }: Request,
  question: Question,
  isTransfer: boolean,
): Outcome {
  const { root } = directory;
  const isOurs = isWithin(lowerCaseName(question.name), root.origin);
  if (!isOurs) return { rcode: RCODE.REFUSED, extendedError: EXTENDED_ERROR['NOT-AUTHORITATIVE'] };
  if (!directory.isKnown(requester)) return PROHIBITED;
  // RFC 5936 section 2.2.1: a server that does not have the zone says so by this code.
  if (isTransfer) return NOT_AUTHORITATIVE;
  const isRoot = question.name.length === root.origin.length;
  if (isRoot && question.type === RRTYPE.SOA) {
    // The negative answers below name this SOA, so it has to be there for those who ask.
    const rrsets = [soaRrset(root, directory.highestSerial())];
    return { rcode: RCODE.NOERROR, authoritative: true, answer: { owner: question.name, rrsets } };
  }
  return {
    rcode: directory.hasZoneBelow(question.name) ? RCODE.NOERROR : RCODE.NXDOMAIN,
    authoritative: true,
    authority: { owner: root.origin, soa: negativeSoa(root, directory.highestSerial()) },
  };
}

/** RFC 2308 section 3: the SOA of a negative answer has the smaller of its TTL and its minimum. */
function negativeSoa(settings: ZoneSnapshot['settings'], zoneSerial: Serial): RelativeRrset {
  const soa = soaRrset(settings, zoneSerial);
  return { ...soa, ttl: Math.min(soa.ttl, settings.minimum) };
}

/** Writes header, question and what there is to say; truncated by TC when it does not fit. Returns the length. */
function writeResponse(options: {
  readonly writer: MessageWriter;
  readonly message: Message;
  readonly outcome: Outcome;
  readonly signer: ResponseSigner | null;
  readonly limit: number;
  readonly udpOctetsMax: number;
}): number {
  const { writer, message, outcome, signer, limit, udpOctetsMax } = options;
  const { id, opcode, recursionDesired, questions } = message;
  const { rcode, authoritative = false, answer, authority, extendedError } = outcome;
  writer.start({ id, opcode, recursionDesired, authoritative, isResponse: true, rcode }, limit);
  if (signer !== null) writer.reserve(signer.octets);
  if (questions[0] !== undefined && questions.length === 1) writer.question(questions[0]);
  if (message.edns !== null) {
    const options = extendedError === undefined ? [] : [extendedErrorOption(extendedError)];
    writer.edns({ ...ednsOf(message.edns, udpOctetsMax), options });
  }
  const write = (section: 'answer' | 'authority', name: Name, rrset: RelativeRrset): boolean => {
    const { type, ttl, rdatas } = rrset;
    return writer.rrset(section, { name, type, class: CLASS.IN, ttl }, rdatas);
  };
  const fits =
    (answer?.rrsets.every((rrset) => write('answer', answer.owner, rrset)) ?? true) &&
    (authority === undefined || write('authority', authority.owner, authority.soa));
  if (!fits) writer.setTruncated();
  return writer.finish();
}

/** What our OPT record says to one who sent his (RFC 6891 section 6.1.1, RFC 3225 section 3). */
function ednsOf({ dnssecOk }: Edns, udpPayloadSize: number): EdnsFields {
  return { udpPayloadSize, dnssecOk };
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
