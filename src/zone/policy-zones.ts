import type { Catalogue } from '../indicators/catalogue.ts';
import { hasId, type IdSet } from '../indicators/id-set.ts';
import type { Action } from '../policy/action.ts';
import { changedOwners } from '../policy/changed-owners.ts';
import type { Member } from '../policy/members.ts';
import type { Policy } from '../policy/model.ts';
import { createVerdicts, type Verdicts } from '../policy/verdicts.ts';
import {
  compileIpInSteps,
  diffIpInSteps,
  IP_ACTION,
  IP_SIDES,
  type IpPair,
  type IpSide,
  selectHosts,
} from './ip-compile.ts';
import {
  EMPTY_IP,
  type IpContent,
  type IpDiff,
  isEmptyIpDiff,
  type PublishedHosts,
} from './ip-content.ts';
import { applyPrefixDiff, diffPagesInSteps, type PrefixPages } from './ip-pages.ts';
import { type AddressWords, diffPrefixRows, type PrefixDiff } from './prefix-rows.ts';
import { compileRpzInSteps, diffRpzInSteps } from './rpz-compile.ts';
import {
  applyRpzDiff,
  diffRpzContentsInSteps,
  type RpzContent,
  type RpzDiff,
} from './rpz-content.ts';
import type { RpzRendering } from './rpz-rendering.ts';
import type { Steps } from './steps.ts';

/** A policy with everything that its zones are made of. Immutable. */
export type CompiledPolicy =
  | {
      readonly kind: 'dns';
      readonly members: readonly Member[];
      readonly verdicts: Verdicts;
      readonly rendering: RpzRendering;
      readonly content: RpzContent;
    }
  | {
      readonly kind: 'ip';
      readonly members: readonly Member[];
      readonly verdicts: Verdicts;
      readonly hostsMax: number | null;
      readonly contents: IpPair<IpContent>;
    };

type CompiledDns = Extract<CompiledPolicy, { kind: 'dns' }>;
type CompiledIp = Extract<CompiledPolicy, { kind: 'ip' }>;

/** What an edit did to a compiled policy; nothing where a zone's content stayed as it was. */
export type PolicyDiff =
  | { readonly kind: 'dns'; readonly compiled: CompiledDns; readonly moves: RpzDiff | null }
  | { readonly kind: 'ip'; readonly compiled: CompiledIp; readonly lists: IpPair<IpDiff | null> };

/** A DNS policy of members whose rules are known. */
export function dnsPolicy(policy: {
  readonly catalogue: Catalogue;
  readonly members: readonly Member[];
  readonly rendering: RpzRendering;
  readonly content: RpzContent;
}): CompiledDns {
  const { catalogue, members, rendering, content } = policy;
  const verdicts = createVerdicts(catalogue, members, rendering.numberOf);
  return { kind: 'dns', members, verdicts, rendering, content };
}

/** A policy from nothing. `rendering` is used by DNS policies only. */
export function* compilePolicy(
  catalogue: Catalogue,
  policy: Policy,
  members: readonly Member[],
  rendering: RpzRendering,
): Steps<CompiledPolicy> {
  if (policy.type === 'dns') {
    const verdicts = createVerdicts(catalogue, members, rendering.numberOf);
    const content = yield* compileRpzInSteps(catalogue, verdicts);
    return { kind: 'dns', members, verdicts, rendering, content };
  }
  const verdicts = createVerdicts(catalogue, members, ipActionNumber);
  const v4 = yield* compileIpInSteps(catalogue, verdicts, 1);
  const v6 = yield* compileIpInSteps(catalogue, verdicts, 4);
  const content = (side: IpSide): IpContent => ({
    v4: v4[side],
    v6: v6[side],
    hosts: hostsOf({ catalogue, members, verdicts, hostsMax: policy.hostsMax, side }),
  });
  const contents = { block: content('block'), allow: content('allow') };
  return { kind: 'ip', members, verdicts, hostsMax: policy.hostsMax, contents };
}

/** The policy after an edit, and what differs; only what the edit can have reached is looked at. */
export function* updatePolicy(
  catalogue: Catalogue,
  policy: Policy,
  compiled: CompiledPolicy,
  members: readonly Member[],
): Steps<PolicyDiff> {
  return compiled.kind === 'dns'
    ? yield* updateDns(catalogue, compiled, members)
    : yield* updateIp({ catalogue, policy, compiled, members });
}

function* updateDns(
  catalogue: Catalogue,
  compiled: CompiledDns,
  members: readonly Member[],
): Steps<PolicyDiff> {
  const { content, rendering } = compiled;
  const verdicts = createVerdicts(catalogue, members, rendering.numberOf);
  const changed = changedOwners(compiled.members, members);
  // Compiled from nothing it is the content itself: to apply its difference would be to make it again.
  const whole = isMostOf(changed, ownersOf(content))
    ? yield* compileRpzInSteps(catalogue, verdicts)
    : null;
  const moves =
    whole === null
      ? yield* diffRpzInSteps({
          catalogue,
          content,
          before: compiled.verdicts,
          after: verdicts,
          changed,
        })
      : yield* diffRpzContentsInSteps(content, whole);
  yield;
  const next = { ...compiled, members, verdicts, content: whole ?? applyRpzDiff(content, moves) };
  return { kind: 'dns', compiled: next, moves: moves.length === 0 ? null : moves };
}

/** Below this many owners a change is never worth compiling everything. */
const RECOMPILE_OWNERS_MIN = 10_000;

/** Whether so much changed that to go through everything once is cheaper than to look at each change. */
function isMostOf(changed: IdSet, everything: number): boolean {
  return changed.size >= RECOMPILE_OWNERS_MIN && changed.size * 8 > everything;
}

function ownersOf(content: RpzContent): number {
  let owners = 0;
  for (const ids of content.values()) owners += ids.size;
  return owners;
}

function* updateIp(options: {
  readonly catalogue: Catalogue;
  readonly policy: Policy;
  readonly compiled: CompiledIp;
  readonly members: readonly Member[];
}): Steps<PolicyDiff> {
  const { catalogue, policy, compiled, members } = options;
  const { hostsMax } = policy;
  const verdicts = createVerdicts(catalogue, members, ipActionNumber);
  const changed = changedOwners(compiled.members, members);
  const v4 = yield* updateFamily({ catalogue, verdicts, compiled, changed, words: 1 });
  const v6 = yield* updateFamily({ catalogue, verdicts, compiled, changed, words: 4 });
  const sameHosts = hostsMax === compiled.hostsMax && changed.size === 0;
  const update = (side: IpSide): { content: IpContent; diff: IpDiff | null } => {
    const before = compiled.contents[side];
    const hosts = sameHosts
      ? before.hosts
      : hostsOf({ catalogue, members, verdicts, hostsMax, side });
    const hosts4 = diffPrefixRows(before.hosts.v4, hosts.v4);
    const hosts6 = diffPrefixRows(before.hosts.v6, hosts.v6);
    const leftOut = hosts.leftOut - before.hosts.leftOut;
    const diff = { v4: v4[side].diff, v6: v6[side].diff, hosts4, hosts6, leftOut };
    if (isEmptyIpDiff(diff)) return { content: before, diff: null };
    return { content: { v4: v4[side].pages, v6: v6[side].pages, hosts }, diff };
  };
  const [block, allow] = [update('block'), update('allow')];
  const contents = { block: block.content, allow: allow.content };
  const lists = { block: block.diff, allow: allow.diff };
  return { kind: 'ip', compiled: { kind: 'ip', members, verdicts, hostsMax, contents }, lists };
}

/** The pages of one family after an edit, and their difference. */
interface UpdatedPages {
  readonly pages: PrefixPages;
  readonly diff: PrefixDiff;
}

function* updateFamily(options: {
  readonly catalogue: Catalogue;
  readonly verdicts: Verdicts;
  readonly compiled: CompiledIp;
  readonly changed: IdSet;
  readonly words: AddressWords;
}): Steps<IpPair<UpdatedPages>> {
  const { catalogue, verdicts, compiled, changed, words } = options;
  const { block, allow } = compiled.contents;
  const family = words === 1 ? 4 : 6;
  const pages =
    words === 1 ? { block: block.v4, allow: allow.v4 } : { block: block.v6, allow: allow.v6 };
  if (isMostOf(changed, catalogue.order('ip', family).count)) {
    const whole = yield* compileIpInSteps(catalogue, verdicts, words);
    const [block, allow] = [
      yield* diffPagesInSteps(pages.block, whole.block, words),
      yield* diffPagesInSteps(pages.allow, whole.allow, words),
    ];
    return {
      block: { pages: whole.block, diff: block },
      allow: { pages: whole.allow, diff: allow },
    };
  }
  const diff = yield* diffIpInSteps({ catalogue, verdicts, words, pages, changed });
  const update = (side: IpSide): UpdatedPages => ({
    pages: applyPrefixDiff(pages[side], diff[side]),
    diff: diff[side],
  });
  return { block: update('block'), allow: update('allow') };
}

function ipActionNumber(action: Action) {
  const side = IP_SIDES.find((known) => known === action.kind);
  if (side === undefined) throw new Error(`${action.kind} is no action of an IP policy`);
  return IP_ACTION[side];
}

function hostsOf(options: {
  readonly catalogue: Catalogue;
  readonly members: readonly Member[];
  readonly verdicts: Verdicts;
  readonly hostsMax: number | null;
  readonly side: IpSide;
}): PublishedHosts {
  const { catalogue, members, verdicts, hostsMax, side } = options;
  if (hostsMax === null) return EMPTY_IP.hosts;
  const bySeverity = [...members].sort((a, b) => b.severity - a.severity);
  const severityOf = (id: number): number =>
    bySeverity.find(({ sets }) => hasId(sets.prefix, id))?.severity ?? -1;
  return selectHosts({ catalogue, verdicts, side, hostsMax, severityOf });
}
