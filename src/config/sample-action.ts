import { isIPv4, isIPv6 } from 'node:net';
import type { Action, LocalRecord } from '../policy/action.ts';

/** An action as the policies file has it: the kind, and what only some kinds need. */
export interface WrittenAction {
  readonly action: Action['kind'];
  readonly to: string | null;
  readonly records: readonly LocalRecord[];
}

/** Something wrong with an action: the key that it concerns, and the rule. */
export interface ActionProblem {
  readonly key: 'action' | 'to' | 'records';
  readonly message: string;
}

export function actionOf({ action, to, records }: WrittenAction): Action {
  switch (action) {
    case 'redirect':
      return { kind: action, to: to ?? '' };
    case 'local-data':
      return { kind: action, records };
    default:
      return { kind: action };
  }
}

export function actionProblems(type: 'ip' | 'dns', written: WrittenAction): ActionProblem[] {
  const { action, to, records } = written;
  const problems: ActionProblem[] = [];
  const refuse = (key: ActionProblem['key'], message: string) => problems.push({ key, message });
  if (type === 'ip' && action !== 'allow' && action !== 'block') {
    refuse('action', `${action} is not an action of IP policies, which allow or block`);
  }
  if (type === 'dns' && action === 'block') {
    refuse(
      'action',
      'block is an action of IP policies; a DNS policy says how, nxdomain for example',
    );
  }
  if (action === 'redirect') {
    const message = redirectProblem(to);
    if (message !== null) refuse('to', message);
  } else if (to !== null) {
    refuse('to', 'only redirect leads somewhere');
  }
  if (action === 'local-data') {
    const message = recordsProblem(records);
    if (message !== null) refuse('records', message);
  } else if (records.length > 0) {
    refuse('records', 'only local-data has records');
  }
  return problems;
}

function redirectProblem(to: string | null): string | null {
  if (to === null) return 'is missing: redirect needs a name to lead to';
  // draft-vixie-dnsop-dns-rpz-00 section 3: such targets are actions of their own.
  if (/(^|\.)rpz-[^.]*\.?$/i.test(to)) return `${to} would be another action`;
  return /^(\*\.)?([a-z0-9_-]{1,63}\.)+$/i.test(to)
    ? null
    : `${to} is not an absolute name with its final dot`;
}

function recordsProblem(records: readonly LocalRecord[]): string | null {
  if (records.length === 0) return 'is missing: local-data needs records';
  // RFC 1034 section 3.6.2: nothing stands beside a CNAME.
  if (records.length > 1 && records.some(({ type }) => type === 'CNAME')) {
    return 'a CNAME cannot stand beside other records';
  }
  const wrong = records.find(
    ({ type, data }) => (type === 'A' && !isIPv4(data)) || (type === 'AAAA' && !isIPv6(data)),
  );
  return wrong === undefined ? null : `${wrong.data} is not an address for type ${wrong.type}`;
}
