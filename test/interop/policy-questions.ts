import { createRandom } from '../support/random.ts';
import { type Peer, startFakeInternet, type Verdict, verdictOf } from './peers/index.ts';
import type { SluiceStage } from './sluice-stage.ts';

/** What to ask a resolver about the policy of the drill, and what it must show. */
export interface Expectation {
  readonly name: string;
  readonly type: 'A' | 'AAAA';
  /** The one address of this type that the name really has. */
  readonly address: string;
  /** What the policy decides by, and which action: `name drop`, `address allow`, `nothing`. */
  readonly decision: string;
  readonly verdict: Verdict;
}

export interface Disagreement {
  readonly question: string;
  readonly policy: Verdict;
  readonly resolver: Verdict;
}

export interface Action {
  readonly kind: string;
  readonly to?: string;
  readonly records?: readonly { readonly type: string; readonly data: string }[];
}

/** Where a resolver is known to do something else than the others with the same rules. */
export interface ResolverHabits {
  /** Gives a redirect to `*.garden` as it is written when an address brings it. */
  readonly keepsWildcardByAddress?: boolean;
  /** Over TCP, after a TCP-only rule for the name, still judges the addresses. */
  readonly judgesAddressesOverTcp?: boolean;
}

const APEXES = ['alpha.example', 'beta.example'];
const LABELS = ['a', 'b', 'c'];
const QUESTION_DEPTH_MAX = 4;
export const ADDRESSES_4 = 32;
export const ADDRESSES_6 = 16;
/** Dropped queries take seconds each, and wait beside one another. */
const QUESTIONS_AT_A_TIME = 48;

/** Names that the policy knows nothing of, one for each address that it may know. */
const plainName = (family: 4 | 6, at: number) => `host${family}-${at}.plain.example`;
export const address4 = (at: number) => `203.0.113.${at}`;
export const address6 = (at: number) => `2001:db8:a::${(at + 1).toString(16)}`;

/** All names of few labels below two apexes, up to so many labels below. */
export function namesBelow(depth: number): string[] {
  let level = APEXES;
  const names = [...level];
  for (let step = 0; step < depth; step++) {
    level = level.flatMap((name) => LABELS.map((label) => `${label}.${name}`));
    names.push(...level);
  }
  return names;
}

/** An Internet in which most names that are asked for have addresses that the policy may hold. */
export function startDrillInternet(seed: number) {
  return startFakeInternet({ hosts: hostsOf(seed) });
}

function hostsOf(seed: number): Record<string, readonly [ipv4: string, ipv6: string]> {
  const random = createRandom(seed);
  const hosts: Record<string, readonly [string, string]> = {};
  for (let at = 0; at < ADDRESSES_4; at++) {
    hosts[plainName(4, at)] = [address4(at), `2001:db8:b::${at + 1}`];
  }
  for (let at = 0; at < ADDRESSES_6; at++) {
    hosts[plainName(6, at)] = [`198.51.100.${at}`, address6(at)];
  }
  for (const name of namesBelow(QUESTION_DEPTH_MAX)) {
    hosts[name] = [address4(random.below(2 * ADDRESSES_4)), address6(random.below(ADDRESSES_6))];
  }
  return hosts;
}

/** Asks the resolver everything and gives back where it differs from what is expected. */
export async function findDisagreements(
  resolver: Peer,
  expectations: readonly Expectation[],
): Promise<Disagreement[]> {
  const disagreements: Disagreement[] = [];
  const rest = expectations.values();
  const workers = Array.from({ length: QUESTIONS_AT_A_TIME }, async () => {
    for (const { name, type, address, verdict } of rest) {
      const shown = await verdictOf(resolver, name, { type });
      if (shown === verdict) continue;
      const question = `${name} ${type} (${address})`;
      disagreements.push({ question, policy: verdict, resolver: shown });
    }
  });
  await Promise.all(workers);
  return disagreements;
}

/** Which decisions the policy comes to, to see that a drill tries them all. */
export function decisionsOf(expectations: readonly Expectation[]): ReadonlySet<string> {
  return new Set(expectations.map(({ decision }) => decision));
}

/** Every decision that a DNS policy can come to by names and by addresses in answers. */
export const ALL_DECISIONS: readonly string[] = [
  ...['name', 'address'].flatMap((by) =>
    ['allow', 'drop', 'nxdomain', 'nodata', 'tcp-only', 'redirect', 'local-data'].map(
      (kind) => `${by} ${kind}`,
    ),
  ),
  'nothing',
];

export async function expectVerdicts(options: {
  readonly stage: SluiceStage;
  readonly policyId: number;
  readonly seed: number;
  readonly habits: ResolverHabits;
}): Promise<Expectation[]> {
  const { stage, policyId, seed, habits } = options;
  const explain = explainer(stage, policyId);
  const expectations: Expectation[] = [];
  for (const question of questionsOf(seed)) {
    const decided = {
      byName: await explain('name', question.name),
      byAddress: await explain('address', question.address),
    };
    expectations.push({ ...question, ...expectedOf(question, decided, habits) });
  }
  return expectations;
}

type Question = Pick<Expectation, 'name' | 'type' | 'address'>;

function questionsOf(seed: number): Question[] {
  const questions: Question[] = [];
  for (const [name, [ipv4, ipv6]] of Object.entries(hostsOf(seed))) {
    questions.push({ name, type: 'A', address: ipv4 });
    // Where a name decides, it does so for both types: a share of the names is enough here.
    if (name.endsWith('.plain.example') || name.startsWith('a.')) {
      questions.push({ name, type: 'AAAA', address: ipv6 });
    }
  }
  return questions;
}

type Explain = (by: 'name' | 'address', value: string) => Promise<Action | null>;

/** Explains each value once: many names share their addresses. */
function explainer(stage: SluiceStage, policyId: number): Explain {
  const known = new Map<string, Action | null>();
  return async (by, value) => {
    const path = `/policies/${policyId}/explain?${by}=${encodeURIComponent(value)}`;
    const before = known.get(path);
    if (before !== undefined) return before;
    const { verdict } = await stage.call<{ verdict: Action | null }>('GET', path);
    known.set(path, verdict);
    return verdict;
  };
}

/**
 * Inside one zone the name comes before the addresses in the answer, and a name that is let pass
 * ends the search (draft-vixie-dnsop-dns-rpz-00 section 5).
 */
function expectedOf(
  question: Question,
  decided: { readonly byName: Action | null; readonly byAddress: Action | null },
  habits: ResolverHabits,
): Pick<Expectation, 'decision' | 'verdict'> {
  const { byName, byAddress } = decided;
  if (byName !== null) {
    const decision = `name ${byName.kind}`;
    const goesOn = byName.kind === 'tcp-only' && habits.judgesAddressesOverTcp === true;
    if (!goesOn) return { decision, verdict: shownVerdict(byName, question) };
    return { decision, verdict: verdictOverTcp(byAddress, question, habits) };
  }
  if (byAddress === null) return { decision: 'nothing', verdict: 'resolved' };
  const verdict = shownByAddress(byAddress, question, habits);
  return { decision: `address ${byAddress.kind}`, verdict };
}

/** What comes over TCP to a client that was sent there, in the words of `verdictOf`. */
function verdictOverTcp(
  byAddress: Action | null,
  question: Question,
  habits: ResolverHabits,
): Verdict {
  if (byAddress === null || byAddress.kind === 'allow') return 'tcp-only';
  if (byAddress.kind === 'drop') return 'error no answer over TCP';
  return shownByAddress(byAddress, question, habits);
}

function shownByAddress(action: Action, question: Question, habits: ResolverHabits): Verdict {
  if (habits.keepsWildcardByAddress === true && action.to?.startsWith('*.')) {
    return `redirect to ${action.to.replace(/\.$/, '')}`;
  }
  return shownVerdict(action, question);
}

function shownVerdict(action: Action, { name, type }: Question): Verdict {
  switch (action.kind) {
    case 'allow':
      return 'resolved';
    case 'nxdomain':
    case 'nodata':
    case 'drop':
    case 'tcp-only':
      return action.kind;
    case 'redirect':
      return `redirect to ${action.to!.replace(/^\*/, name).replace(/\.$/, '')}`;
    case 'local-data': {
      const records = action.records!.filter((record) => record.type === type);
      const data = records.map((record) => record.data).sort();
      return data.length === 0 ? 'nodata' : `local data ${data.join(' ')}`;
    }
    default:
      throw new Error(`a DNS policy knows no action ${action.kind}`);
  }
}
