import { readQueryOptions } from '../dns/edns-query.ts';
import { isMalformed, type Message, type Question, readMessage } from '../dns/message.ts';
import { CLASS, OPCODE, RCODE, RRTYPE } from '../dns/registry.ts';
import { type TsigAlgorithm, type TsigVerdict, verifyRequest } from '../dns/tsig.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import { createAnswerEdns } from './answer-edns.ts';
import { answerNotify } from './answer-notify.ts';
import { createTransferAnswers } from './answer-transfer.ts';
import { type CookieOptions, createCookieDesk } from './cookie-desk.ts';
import { createDifferenceCache } from './difference-cache.ts';
import type { Directory, Observer } from './directory-port.ts';
import { findAnswer } from './find-answer.ts';
import { createFrameCache } from './frame-cache.ts';
import type { Answer, Handler, Peer } from './handler-port.ts';
import { createMessageCache } from './message-cache.ts';
import { negativeSoa } from './negative-soa.ts';
import { askedEvent, refusedEvent } from './observed-events.ts';
import { createOctetBudget } from './octet-budget.ts';
import { COME_BY_TCP, NOT_AUTHORITATIVE, type Outcome, PROHIBITED } from './outcome.ts';
import { outsideZones } from './outside-zones.ts';
import { logAnswer, type QueryLog } from './query-log.ts';
import type { RateLimitCounts, RateLimiter } from './rate-limit.ts';
import { createReadyAnswers } from './ready-answers.ts';
import { refuseByForm } from './refuse-by-form.ts';
import type { Request } from './request.ts';
import { createResponder } from './respond.ts';
import { createServerIdentity, type ServerIdentity } from './server-identity.ts';
import type { Upstreams } from './upstream-port.ts';

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
  /** What the server says of itself; without it nothing. */
  readonly identity?: ServerIdentity;
  /** Without it cookies are not answered (RFC 7873 section 5.2). */
  readonly cookies?: CookieOptions;
  /** Counts answers over UDP; without it none is held back. */
  readonly rateLimiter?: RateLimiter;
  /** For how long an idle connection stays open as of now (RFC 7828); without it clients are not told. */
  readonly keepaliveMs?: () => number;
  /** Where queries are logged at this moment; null, and absent, for nowhere. */
  readonly queryLog?: () => QueryLog | null;
}

export interface Nameserver extends Handler {
  /** Memory that encoded transfers take. */
  frameOctets(): number;
  /** UDP answers that were held back since the start. */
  rateLimited(): RateLimitCounts;
}

const NO_NAMES: readonly string[] = [];
const NO_IDENTITY = { version: null, id: null, nsid: null };

/** The authoritative answers for all zones. It waits for nothing and keeps nothing but ready frames. */
export function createNameserver(options: NameserverOptions): Nameserver {
  const { observer, clock, udpOctetsMax, upstreams, rateLimiter = null } = options;
  const identity = options.identity ?? createServerIdentity(NO_IDENTITY);
  const nowSeconds = () => Math.floor(clock() / 1000);
  const cookies =
    options.cookies === undefined ? null : createCookieDesk(options.cookies, nowSeconds);
  const keepaliveMs = options.keepaliveMs ?? null;
  const answerEdns = createAnswerEdns({ udpOctetsMax, identity, cookies, keepaliveMs });
  const responder = createResponder({
    observer,
    answerEdns,
    limiter: rateLimiter,
    udpOctetsMax,
    nowSeconds,
  });
  const { respond } = responder;
  const ready = createReadyAnswers({
    directory: options.directory,
    observer,
    limiter: rateLimiter,
    cookiesRequired: cookies?.required ?? false,
    slip: (query, peer) => slip(query, peer),
  });
  const budget = createOctetBudget(options.frameCacheOctets);
  const answerTransfer = createTransferAnswers({
    responder,
    answerEdns,
    observer,
    udpOctetsMax,
    nowSeconds,
    caches: {
      frames: createFrameCache(budget),
      messages: createMessageCache(budget),
      differences: createDifferenceCache(),
    },
  });

  const answerOutside = (request: Request, question: Question, isTransfer: boolean): Answer => {
    const { outcome, isMissed } = outsideZones(request, question, isTransfer);
    if (isMissed) observer.refused(refusedEvent(request, 'not-authoritative'));
    return respond(request, outcome);
  };

  /** From a zone, to those who may read it. */
  const respondFrom = (request: Request, zone: ZoneSnapshot, outcome: Outcome): Answer => {
    const limited = responder.limit(request, outcome);
    if (limited !== null) return limited;
    const made = responder.write(request, outcome);
    ready.keep(request, zone, made.bytes);
    return made;
  };

  const answerQuestion = (request: Request, question: Question): Answer => {
    const { directory, requester } = request;
    const zone = directory.zoneOf(question.name);
    const isTransfer = question.type === RRTYPE.AXFR || question.type === RRTYPE.IXFR;
    if (zone === null) return answerOutside(request, question, isTransfer);
    const { settings } = zone;
    const deviceId = directory.authorise(zone, requester);
    if (deviceId === null) {
      observer.refused(refusedEvent(request, 'prohibited'));
      return respond(request, PROHIBITED);
    }
    if (isTransfer) {
      if (question.name.length === settings.origin.length) {
        return answerTransfer(request, zone, deviceId);
      }
      observer.refused(refusedEvent(request, 'not-authoritative'));
      return respond(request, NOT_AUTHORITATIVE);
    }
    const found = findAnswer(zone, question.name, question.type, directory);
    if (found.kind === 'answer') {
      const isSoa = question.type === RRTYPE.SOA;
      if (isSoa) observer.polled(askedEvent(request, zone, deviceId));
      const answer = { owner: question.name, rrsets: found.rrsets };
      const expire = isSoa ? settings.expire : undefined;
      const outcome = { rcode: RCODE.NOERROR, authoritative: true, answer, expire };
      return respondFrom(request, zone, outcome);
    }
    return respondFrom(request, zone, {
      rcode: found.kind === 'no-name' ? RCODE.NXDOMAIN : RCODE.NOERROR,
      authoritative: true,
      authority: { owner: settings.origin, soa: negativeSoa(settings, zone.serial) },
    });
  };

  const verify = (query: Uint8Array, message: Message, directory: Directory): TsigVerdict => {
    const isNotify = message.opcode === OPCODE.NOTIFY;
    return verifyRequest({
      bytes: query,
      message,
      findKey: (name) =>
        (isNotify ? upstreams?.().findKey(name) : undefined) ?? directory.findKey(name),
      nowSeconds: nowSeconds(),
      allowedAlgorithms: options.tsigAlgorithms,
    });
  };

  const readRequest = (query: Uint8Array, message: Message, peer: Peer): Request => {
    const directory = options.directory();
    const verdict = verify(query, message, directory);
    const key = verdict.kind === 'valid' ? verdict.key : null;
    const { address, certificateNames = NO_NAMES } = peer;
    const asked = readQueryOptions(message.edns, peer.protocol !== 'udp');
    const cookie =
      cookies === null || asked.cookie === null ? null : cookies.judge(asked.cookie, address);
    return {
      octets: query,
      message,
      peer,
      verdict,
      requester: { key, address, certificateNames },
      directory,
      options: asked,
      cookie,
    };
  };

  /** A plain query is never malformed. */
  const slip = (query: Uint8Array, peer: Peer): Answer => {
    const message = readMessage(query);
    if (isMalformed(message)) throw new Error(`a plain query is malformed: ${message.reason}`);
    return responder.write(readRequest(query, message, peer), COME_BY_TCP);
  };

  const make = (query: Uint8Array, peer: Peer): Answer => {
    const message = readMessage(query);
    if (isMalformed(message)) return responder.answerMalformed(message, peer);
    if (message.isResponse) return { kind: 'none' };
    const request = readRequest(query, message, peer);
    const refusal = refuseByForm(request, cookies?.required ?? false);
    if (refusal !== null) {
      if (request.verdict.kind === 'invalid') observer.refused(refusedEvent(request, 'tsig'));
      return respond(request, refusal);
    }
    const [question] = message.questions;
    if (question.class === CLASS.CH) return respond(request, identity.answerChaos(question));
    if (message.opcode === OPCODE.NOTIFY) {
      return respond(request, answerNotify(request, question, upstreams?.()));
    }
    return answerQuestion(request, question);
  };

  const answer: Handler = (query, peer) => ready.answer(query, peer) ?? make(query, peer);

  const handle: Handler = (query, peer) => {
    const log = options.queryLog?.() ?? null;
    return log === null ? answer(query, peer) : logAnswer(log, answer, query, peer);
  };
  return Object.assign(handle, {
    frameOctets: budget.held,
    rateLimited: () => rateLimiter?.counts() ?? { dropped: 0, slipped: 0 },
  });
}
