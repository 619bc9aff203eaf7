import type { Serial } from '../dns/serial.ts';
import type { Catalogue } from '../indicators/catalogue.ts';
import type { Action } from '../policy/action.ts';
import type { CoverQuery } from '../policy/explain.ts';
import type { DeviceId, Policy, PolicyId } from '../policy/model.ts';
import { ModelError } from '../policy/model-error.ts';
import { type ActionNumber, NO_ACTION } from '../policy/verdicts.ts';
import { sideOf, type ZoneBody, type ZoneSnapshot } from '../zone/snapshot.ts';
import { describeCover, findDatedCovers } from './explain-covers.ts';
import { parseExplainQuery } from './explain-query.ts';
import { isListed, rpzVerdict } from './explain-verdict.ts';
import type { ExplainQuestion, Explanation, Publisher } from './publisher.ts';
import type { PublishedState } from './state.ts';
import { bodyOfSerial, findSerial, momentOf, serialAtMoment } from './zone-reading.ts';

/**
 * Which verdict a name or address has in a policy, or with a device, and why. The verdict is read from
 * the content that is served at the serial; the covers come from the members of now and their
 * history. Throws ModelError.
 */
export async function explainQuery(options: {
  readonly state: PublishedState;
  readonly catalogue: Catalogue;
  readonly memberHistory: Publisher['memberHistory'];
  readonly memberNotes: Publisher['memberNotes'];
  readonly question: ExplainQuestion;
}): Promise<Explanation> {
  const { state, catalogue, memberHistory, memberNotes, question } = options;
  const policy = policyOf(state, question);
  const zones = zonesOf(state, question);
  refuseTrigger(zones, question);
  const { text, query } = parseExplainQuery(question);
  const [origin, zone] = chooseZone(zones, question);
  const serial =
    question.serial === undefined
      ? zone.serial
      : findSerial(zone, origin, question.serial, 'serial');
  const moment = serial === zone.serial ? null : momentOf(zone, serial);
  const rolledBack = isRolledBack(policy, moment);

  const served = servedVerdict({ zones, zone, serial, moment, catalogue, query });
  const members = policy === null ? [] : (state.compiled.get(policy.id)?.members ?? []);
  const { model } = state;
  const covers = await findDatedCovers({
    catalogue,
    model,
    members,
    query,
    moment,
    memberHistory,
    memberNotes,
  });
  const first = covers.findIndex((cover) => cover.heldThen);
  // What is served may follow from members and actions that the policy has no more.
  const decides = first >= 0 && !rolledBack && served.isSame(covers[first]!.member.action);
  return {
    query: text,
    trigger: question.trigger,
    policy: policy === null ? null : { id: policy.id, name: policy.name },
    zone: origin,
    serial,
    rolledBack,
    verdict: decides ? covers[first]!.member.action : served.verdict,
    covers: covers.map((cover, index) => describeCover(cover, model, decides && index === first)),
  };
}

type Zones = readonly (readonly [origin: string, zone: ZoneSnapshot])[];

function policyOf({ model }: PublishedState, { subject }: ExplainQuestion): Policy | null {
  const id =
    'policyId' in subject
      ? subject.policyId
      : model.devices.get(subject.deviceId as DeviceId)?.policyId;
  const policy = id === undefined || id === null ? undefined : model.policies.get(id as PolicyId);
  return policy ?? null;
}

/** The zones of the policy under its present name, or the device's own. */
function zonesOf(state: PublishedState, { subject }: ExplainQuestion): Zones {
  const isMeant = (zone: ZoneSnapshot): boolean =>
    'policyId' in subject
      ? zone.policyId === subject.policyId && zone.deviceId === null && !zone.former
      : zone.deviceId === subject.deviceId;
  const zones = [...state.zones].filter(([, zone]) => isMeant(zone));
  if (zones.length > 0) return zones;
  const [kind, id] =
    'policyId' in subject ? ['policy', subject.policyId] : ['device', subject.deviceId];
  const rule = `There is no such ${kind}.`;
  throw new ModelError('not-found', { field: `${kind} id`, value: id, rule });
}

function refuseTrigger(zones: Zones, { trigger }: ExplainQuestion): void {
  if (zones[0]![1].body.kind === 'rpz' || trigger === 'ip') return;
  const rule = 'An IP policy is asked about addresses only.';
  throw new ModelError('invalid-value', { field: 'trigger', value: trigger, rule });
}

/** The zone whose serial is meant: of an IP pair the one that is named, else the one that blocks. */
function chooseZone(zones: Zones, { side }: ExplainQuestion): Zones[number] {
  const sides = zones.map(([, { body }]) => sideOf(body));
  const wanted = side ?? (sides.includes('rpz') ? 'rpz' : 'block');
  const found = zones[sides.indexOf(wanted)];
  if (found !== undefined) return found;
  const rule = `The zone is one of ${sides.join(', ')}.`;
  throw new ModelError('invalid-value', { field: 'zone', value: wanted, rule });
}

/** Whether what is served at the moment is the content of a rollback. */
function isRolledBack(policy: Policy | null, moment: number | null): boolean {
  if (policy === null || policy.rollback === null) return false;
  return moment === null || moment >= policy.rollback.at;
}

interface ServedVerdict {
  readonly verdict: Action | null;
  /** Whether an action is written as the same records. */
  isSame(action: Action): boolean;
}

function servedVerdict(options: {
  readonly zones: Zones;
  readonly zone: ZoneSnapshot;
  readonly serial: Serial;
  readonly moment: number | null;
  readonly catalogue: Catalogue;
  readonly query: CoverQuery;
}): ServedVerdict {
  const { zones, zone, serial, moment, catalogue, query } = options;
  const bodyOf = (other: ZoneSnapshot): ZoneBody => {
    if (other === zone) return bodyOfSerial(zone, serial);
    return bodyOfSerial(
      other,
      moment === null ? other.serial : serialAtMoment(other, moment).serial,
    );
  };
  const bodies = zones.map(([, other]) => bodyOf(other));
  const body = bodies[0]!;
  if (body.kind === 'rpz') {
    const number: ActionNumber = rpzVerdict(catalogue, body.content, query);
    return {
      verdict: number === NO_ACTION ? null : body.rendering.rendered(number).action,
      isSame: (action) => body.rendering.numberOf(action) === number,
    };
  }
  const listing = bodies.find((other) => listedIn(other, query));
  const kind = listing?.kind === 'ip' ? listing.side : null;
  return {
    verdict: kind === null ? null : { kind },
    isSame: (action) => action.kind === kind,
  };
}

function listedIn(body: ZoneBody, query: CoverQuery): boolean {
  return (
    body.kind === 'ip' && 'words' in query && isListed(body.content, query.words, query.length)
  );
}
