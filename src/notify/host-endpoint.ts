import { RCODE } from '../dns/index.ts';
import { canonicalAddress } from './endpoint.ts';
import type { Outcome } from './exchanges.ts';

/**
 * Where a NOTIFY to an endpoint goes: its address, or the first address of each family that its host
 * name has. Empty when nothing is known of the name.
 */
export function addressesToTell(
  endpoint: string,
  addressesOf: (name: string) => readonly string[] = () => [],
): readonly string[] {
  if (canonicalAddress(endpoint) !== null) return [endpoint];
  const addresses = addressesOf(endpoint);
  return ([4, 6] as const).flatMap(
    (family) => addresses.find((address) => canonicalAddress(address)?.family === family) ?? [],
  );
}

/**
 * Tells all of these addresses, which are of one device: the first acknowledgement counts for it. When
 * none comes, the outcome that says most does.
 */
export async function tellOne(
  addresses: readonly string[],
  send: (address: string) => Promise<Outcome>,
): Promise<Outcome> {
  if (addresses.length === 0) {
    return { kind: 'unsendable', reason: 'no address is known of the host name' };
  }
  const sent = addresses.map(send);
  const acknowledgements = sent.map(async (outcome) => {
    if (!isAcknowledgement(await outcome)) throw new Error('no acknowledgement');
    return outcome;
  });
  try {
    return await Promise.any(acknowledgements);
  } catch {
    const outcomes = await Promise.all(sent);
    return outcomes.toSorted((a, b) => rank(a) - rank(b))[0]!;
  }
}

function isAcknowledgement(outcome: Outcome): boolean {
  return outcome.kind === 'answer' && outcome.rcode === RCODE.NOERROR;
}

/** Who answered says more than who was silent, and that more than what the system refused to send. */
const RANKS: Readonly<Record<Outcome['kind'], number>> = {
  stopped: 0,
  answer: 1,
  'tsig-error': 2,
  timeout: 3,
  unsendable: 4,
};

function rank({ kind }: Outcome): number {
  return RANKS[kind];
}
