import { Resolver } from 'node:dns/promises';
import { type AcceptedAnswer, acceptAddresses } from './accept-addresses.ts';

/** A resolver to ask, in place of the system's. */
export interface LookupServer {
  /** IPv4 or IPv6 literal. */
  readonly address: string;
  readonly port: number;
}

/** How the question for one family went. */
export type FamilyAnswer =
  /** `addresses` may be empty: there is no such name, or it has none of this family. */
  | ({ readonly kind: 'answer'; readonly nameExists: boolean } & AcceptedAnswer)
  | { readonly kind: 'failure'; readonly reason: string };

export interface HostLookup {
  /** Asks for A and AAAA. Never rejects. The name has its final dot. */
  lookUp(name: string): Promise<{ readonly v4: FamilyAnswer; readonly v6: FamilyAnswer }>;
  /** Ends what is under way as a failure. */
  cancel(): void;
}

/** One try; after it the next server is asked, twice round. What a server answers, a failure too, counts. */
const TRY_MS = 1_000;
const TRIES = 2;

/** Asks `servers`, or those of the system when there are none, and waits `timeoutMs` at most. */
export function createHostLookup(options: {
  readonly servers: readonly LookupServer[];
  readonly timeoutMs: number;
}): HostLookup {
  const running = new Set<Resolver>();
  return {
    async lookUp(name) {
      // A new one each time: it reads the system's servers anew and asks from other ports.
      const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
      if (options.servers.length > 0) resolver.setServers(options.servers.map(serverText));
      running.add(resolver);
      const deadline = setTimeout(() => resolver.cancel(), options.timeoutMs);
      try {
        const host = name.replace(/\.$/, '');
        const [v4, v6] = await Promise.all([
          ask(() => resolver.resolve4(host, { ttl: true }), options.timeoutMs),
          ask(() => resolver.resolve6(host, { ttl: true }), options.timeoutMs),
        ]);
        return { v4, v6 };
      } finally {
        clearTimeout(deadline);
        running.delete(resolver);
      }
    },
    cancel() {
      for (const resolver of running) resolver.cancel();
    },
  };
}

async function ask(
  question: () => Promise<readonly { readonly address: string; readonly ttl: number }[]>,
  timeoutMs: number,
): Promise<FamilyAnswer> {
  try {
    return { kind: 'answer', nameExists: true, ...acceptAddresses(await question()) };
  } catch (error) {
    return answerOfError(error, timeoutMs);
  }
}

/**
 * RFC 8767 section 4: that a name does not exist or has no such records is an answer, which takes the
 * place of an older one. Everything else tells nothing of the name.
 */
function answerOfError(error: unknown, timeoutMs: number): FamilyAnswer {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const none = { kind: 'answer', addresses: [], ttl: 0, refused: 0 } as const;
  if (code === 'ENODATA') return { ...none, nameExists: true };
  if (code === 'ENOTFOUND') return { ...none, nameExists: false };
  if (code === 'ECANCELLED') return failure(`no answer within ${timeoutMs / 1000} s`);
  return failure(REASONS[code] ?? `the lookup failed: ${code || error}`);
}

function failure(reason: string): FamilyAnswer {
  return { kind: 'failure', reason };
}

const REASONS: Readonly<Record<string, string>> = {
  ETIMEOUT: 'no resolver answered',
  ECONNREFUSED: 'no resolver answered',
  ESERVFAIL: 'the resolver failed (SERVFAIL)',
  EREFUSED: 'the resolver refused (REFUSED)',
  EFORMERR: 'the resolver did not understand (FORMERR)',
  ENOTIMP: 'the resolver does not do this (NOTIMP)',
  EBADRESP: 'the answer was malformed',
  EBADNAME: 'the name cannot be asked for',
};

function serverText({ address, port }: LookupServer): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
