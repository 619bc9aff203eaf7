import type { Catalogue } from '../../indicators/catalogue.ts';
import { formatNameKey, formatPrefixKey } from '../../indicators/format-indicator.ts';
import { EMPTY_IDS, type IdSet, subtractIds, unionIds } from '../../indicators/id-set.ts';
import {
  type Indicator,
  type IndicatorKind,
  MEMBER_FORMS,
  type MemberForm,
} from '../../indicators/indicator.ts';
import type { Member } from '../../policy/members.ts';
import type { Model } from '../../policy/model.ts';
import { type ActionNumber, actionOf, NO_ACTION } from '../../policy/verdicts.ts';
import { IP_ACTION } from '../../zone/ip-compile.ts';
import type { CompiledPolicy } from '../../zone/policy-zones.ts';
import { type SeenTimes, seenTimes } from '../member-history.ts';
import type { Publisher } from '../publisher.ts';
import type { StoredHistory } from '../store-port.ts';
import { csvField } from './csv-field.ts';
import { type ExportDocument, piecesOf } from './export-document.ts';
import {
  blockingMembers,
  type ExportSource,
  validatorOf,
  zoneNameOf,
  zoneVersion,
} from './export-source.ts';
import { idSlices } from './id-slices.ts';

/** The columns that SIEMs import; each word and its order counts. */
const THREAT_LIST_HEADER = 'IOC,Category,SubCategory,Severity,FirstSeen,LastSeen,Geo,IOC Type';

/** What a user-defined list says of its entries, which have no threat type. */
const LIST_CATEGORY = 'user-defined';

type HistorySource = Pick<Publisher, 'memberHistory' | 'memberSizes' | 'catalogue'>;

/**
 * Every indicator of the members that block, once, as ThreatList CSV: with the member that decides,
 * when it was first and last seen there, and nothing that is allowed. It follows the members, also
 * while the policy is rolled back.
 */
export async function exportThreats(
  source: ExportSource,
  model: Model,
  publisher: HistorySource,
): Promise<ExportDocument> {
  const zones = [...source.zones.values()];
  const members = blockingMembers(source);
  const about = members.map((member) => aboutMember(member, model));
  return {
    mediaType: 'text/csv; charset=utf-8; header=present',
    fileName: `${zoneNameOf(zones[0]!)}.threats.csv`,
    validator: validatorOf(
      'threats',
      zones.map(zoneVersion),
      about,
      await Promise.all(members.map((member) => newestHistory(member, publisher))),
      members.map(({ sets }) => MEMBER_FORMS.map((form) => sets[form].size)),
    ),
    pieces: () => threatPieces({ source, members, about, model, publisher }),
  };
}

interface AboutMember {
  readonly category: string;
  readonly name: string;
  readonly severity: number;
}

function aboutMember({ source, severity }: Member, model: Model): AboutMember {
  const category =
    source.kind === 'target'
      ? (model.targets.get(source.id)?.attributes.threatType ?? '')
      : LIST_CATEGORY;
  return { category, name: source.name, severity };
}

/** What tells whether the history of a member went on: also a telling that changed nothing. */
async function newestHistory({ source }: Member, publisher: HistorySource): Promise<unknown> {
  const [newest] = await publisher.memberSizes(source, 1);
  return newest ?? null;
}

async function* threatPieces(options: {
  readonly source: ExportSource;
  readonly members: readonly Member[];
  readonly about: readonly AboutMember[];
  readonly model: Model;
  readonly publisher: HistorySource;
}): AsyncGenerator<Uint8Array> {
  const { source, members, about, model, publisher } = options;
  const { catalogue } = publisher;
  yield Buffer.from(`${THREAT_LIST_HEADER}\r\n`);
  const isBlocked = blockedBy(source.compiled, catalogue);
  const told: Record<MemberForm, IdSet> = {
    subtree: EMPTY_IDS,
    exact: EMPTY_IDS,
    below: EMPTY_IDS,
    prefix: EMPTY_IDS,
  };
  for (const [index, member] of members.entries()) {
    const rows = await publisher.memberHistory(member.source);
    const seen = seenIn(member, model, rows);
    const fresh = MEMBER_FORMS.map((form) => {
      const ids = subtractIds(member.sets[form], told[form]);
      told[form] = unionIds(told[form], ids);
      return { form, ids };
    });
    for (const { form, ids } of fresh) {
      yield* piecesOf(threatRows({ catalogue, form, ids, about: about[index]!, seen, isBlocked }));
    }
  }
}

type SeenLookup = (id: number, form: MemberForm) => SeenTimes | null;

function seenIn(
  { source, sets }: Member,
  model: Model,
  rows: readonly StoredHistory[],
): SeenLookup {
  const holder =
    source.kind === 'target' ? model.targets.get(source.id) : model.lists.get(source.id);
  return seenTimes(rows, { members: sets, createdAt: holder?.createdAt ?? 0 });
}

/**
 * Whether the policy blocks what an indicator stands for: an alarm for what something stronger allows
 * would be a false one, and an IP policy acts on addresses alone.
 */
function blockedBy(
  compiled: CompiledPolicy | null,
  catalogue: Catalogue,
): (id: number, form: MemberForm) => boolean {
  if (compiled === null) return () => false;
  const { verdicts } = compiled;
  const isAllow = (action: ActionNumber): boolean => {
    if (action === NO_ACTION) return false;
    if (compiled.kind === 'ip') return action === IP_ACTION.allow;
    return compiled.rendering.rendered(action).action.kind === 'allow';
  };
  return (id, form) => {
    if (compiled.kind === 'ip' && !(form === 'prefix' && catalogue.prefixKind(id) === 'ip')) {
      return false;
    }
    return !isAllow(actionOf(form === 'below' ? verdicts.below(id) : verdicts.self(id)));
  };
}

function* threatRows(options: {
  readonly catalogue: Catalogue;
  readonly form: MemberForm;
  readonly ids: IdSet;
  readonly about: AboutMember;
  readonly seen: SeenLookup;
  readonly isBlocked: (id: number, form: MemberForm) => boolean;
}): Generator<string> {
  const { catalogue, form, ids, about, seen, isBlocked } = options;
  const origin = `${csvField(about.category)},${csvField(about.name)},${about.severity}`;
  for (const slice of idSlices(ids)) {
    for (const id of slice) {
      if (!isBlocked(id, form)) continue;
      const indicator = catalogue.indicator(id, form);
      const times = seen(id, form);
      const first = times === null ? '' : isoTime(times.firstSeen);
      const last = times === null ? '' : isoTime(times.lastSeen);
      const ioc = csvField(iocText(indicator));
      yield `${ioc},${origin},${first},${last},,${iocType(indicator)}\r\n`;
    }
  }
}

/** Most indicators of a target came at a few times, so the last text is mostly the next one. */
function isoTime(milliseconds: number): string {
  if (milliseconds !== lastTime) {
    lastTime = milliseconds;
    lastText = new Date(milliseconds).toISOString();
  }
  return lastText;
}

let lastTime = 0;
let lastText = new Date(0).toISOString();

function iocText({ kind, key }: Indicator): string {
  if (ADDRESS_TYPES[kind] !== undefined) return formatPrefixKey(key);
  if (kind !== 'wildcard') return formatNameKey(key);
  return key.length === 0 ? '*' : `*.${formatNameKey(key)}`;
}

const ADDRESS_TYPES: Partial<Record<IndicatorKind, string>> = {
  ip: 'ip',
  nsip: 'nameserver ip',
  clientip: 'client ip',
};
const NAME_TYPES: Partial<Record<IndicatorKind, string>> = {
  name: 'domain',
  host: 'hostname',
  wildcard: 'wildcard',
  nsname: 'nameserver',
};

/** An address with a prefix shorter than itself is a `cidr`. */
function iocType({ kind, key }: Indicator): string {
  const name = NAME_TYPES[kind];
  if (name !== undefined) return name;
  const isSingle = key[0] === (key.length - 1) * 8;
  return isSingle ? ADDRESS_TYPES[kind]! : ADDRESS_TYPES[kind]!.replace('ip', 'cidr');
}
