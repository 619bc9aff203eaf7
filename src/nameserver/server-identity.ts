import type { EdnsOption } from '../dns/edns.ts';
import type { Question } from '../dns/message.ts';
import { nameKey, parseName } from '../dns/name.ts';
import { encodeRdata } from '../dns/rdata.ts';
import { EDNS_OPTION, RCODE, RRTYPE } from '../dns/registry.ts';
import { NO_LABELS, type RelativeRrset } from '../zone/records.ts';
import { NOT_OURS, type Outcome } from './outcome.ts';

/** What the server says of itself; null says nothing. */
export interface IdentitySettings {
  /** The answer to version.bind and version.server. */
  readonly version: string | null;
  /** The answer to id.server (RFC 4892 section 3) and hostname.bind. */
  readonly id: string | null;
  /** The name server identifier (RFC 5001), for queries that ask for it. */
  readonly nsid: string | null;
}

export interface ServerIdentity {
  /** From now on it says this. */
  use(settings: IdentitySettings): void;
  nsidOption(): EdnsOption | null;
  /** Answers the questions of class CHAOS that are configured, and refuses all others. */
  answerChaos(question: Question): Outcome;
}

const STRING_OCTETS_MAX = 255;

export function createServerIdentity(settings: IdentitySettings): ServerIdentity {
  let nsid: EdnsOption | null = null;
  const texts = new Map<string, readonly RelativeRrset[]>();

  const use = (next: IdentitySettings): void => {
    nsid = next.nsid === null ? null : { code: EDNS_OPTION.NSID, data: octetsOf(next.nsid) };
    texts.clear();
    const add = (name: string, text: string | null): void => {
      if (text !== null) texts.set(nameKey(parseName(name)), [textRrset(text)]);
    };
    add('version.bind.', next.version);
    add('version.server.', next.version);
    add('id.server.', next.id);
    add('hostname.bind.', next.id);
  };
  use(settings);

  return {
    use,
    nsidOption: () => nsid,
    answerChaos({ name, type }) {
      const rrsets = texts.get(nameKey(name));
      const isAskedFor = type === RRTYPE.TXT || type === RRTYPE.ANY;
      if (rrsets === undefined || !isAskedFor) return NOT_OURS;
      return { rcode: RCODE.NOERROR, authoritative: true, answer: { owner: name, rrsets } };
    },
  };
}

/** RFC 4892 section 3: a TTL of 0, since another server may answer the next question. */
function textRrset(text: string): RelativeRrset {
  const octets = octetsOf(text);
  const strings: Uint8Array[] = [];
  for (let at = 0; at < octets.length || at === 0; at += STRING_OCTETS_MAX) {
    strings.push(octets.slice(at, at + STRING_OCTETS_MAX));
  }
  const rdata = encodeRdata({ type: 'TXT', strings });
  return { labels: NO_LABELS, type: RRTYPE.TXT, ttl: 0, rdatas: [rdata] };
}

function octetsOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
