import type { Answer } from 'dns-packet';
import { ask, type Question, type Response } from './ask.ts';
import { eventually } from './eventually.ts';
import type { Peer } from './program.ts';

/**
 * What a resolver does with a name, as its client sees it. `resolved` is the truth of the fake
 * Internet: there was no rule, or one that lets pass.
 */
export type Verdict =
  | 'resolved'
  | 'nxdomain'
  | 'nodata'
  | 'drop'
  | 'tcp-only'
  | `redirect to ${string}`
  | `local data ${string}`
  | `error ${string}`;

type VerdictQuestion = Pick<Question, 'from' | 'dnssecOk'> & {
  readonly type?: 'A' | 'AAAA' | 'TXT';
};

/** A resolver that has not answered by then is taken to have dropped the query. */
const DROP_MS = 700;
const CONTROL_NAME = 'control-question.invalid-policy-free.example';
const CONTROL_MS = 5_000;

export async function verdictOf(
  resolver: Peer,
  name: string,
  how: VerdictQuestion = {},
): Promise<Verdict> {
  const question: Question = { ...how, name, timeoutMs: DROP_MS };
  const response = await ask(resolver, question);
  if (response === null) return silence(resolver, question);
  if (response.truncated && response.answers.length === 0) {
    const overTcp = await ask(resolver, { ...question, tcp: true, timeoutMs: CONTROL_MS });
    if (overTcp === null) return 'error no answer over TCP';
    const verdict = readVerdict(resolver, question, overTcp);
    return verdict === 'resolved' ? 'tcp-only' : verdict;
  }
  return readVerdict(resolver, question, response);
}

/** Waits until a resolver has taken over a policy that gives this verdict. */
export async function untilVerdict(
  resolver: Peer,
  name: string,
  wanted: Verdict,
  how: VerdictQuestion & { readonly withinMs?: number } = {},
): Promise<void> {
  const { withinMs, ...question } = how;
  let last: Verdict | null = null;
  await eventually(
    `${resolver.program} answers ${name} with "${wanted}"`,
    async () => {
      last = await verdictOf(resolver, name, question);
      if (last !== wanted) throw new Error(`it answers "${last}"`);
      return true;
    },
    withinMs,
  );
}

/** No answer is a verdict only if the resolver is alive: another name is asked for, patiently. */
async function silence(resolver: Peer, question: Question): Promise<Verdict> {
  const control = await ask(resolver, { name: CONTROL_NAME, timeoutMs: CONTROL_MS });
  if (control === null) return 'error no answer to any question';
  const again = await ask(resolver, { ...question, timeoutMs: 2 * DROP_MS });
  return again === null ? 'drop' : readVerdict(resolver, question, again);
}

function readVerdict(resolver: Peer, question: Question, response: Response): Verdict {
  if (response.rcode === 'NXDOMAIN') return 'nxdomain';
  if (response.rcode !== 'NOERROR') return `error ${response.rcode}`;
  // The fake Internet has no aliases, so the first CNAME can only come from the policy.
  const alias = response.answers.find((record) => record.type === 'CNAME');
  if (alias !== undefined) return `redirect to ${dataText(alias)}`;
  const type = question.type ?? 'A';
  const data = response.answers.filter((record) => record.type === type).map(dataText);
  if (data.length === 0) return 'nodata';
  if (sameData(data, trueData(resolver, question.name, type))) return 'resolved';
  return `local data ${data.sort().join(' ')}`;
}

function trueData(resolver: Peer, name: string, type: string): string[] {
  if (resolver.internet === null) throw new Error(`${resolver.program} is not a resolver`);
  return type === 'A' || type === 'AAAA' ? resolver.internet.addressesOf(name, type) : [];
}

function dataText(record: Answer): string {
  if (!('data' in record)) return '';
  const { data } = record;
  if (typeof data === 'string') return data;
  const pieces = Array.isArray(data) ? data : [data];
  return pieces.map((piece) => String(piece)).join('');
}

function sameData(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join(' ') === [...b].sort().join(' ');
}
