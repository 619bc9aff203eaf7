import { contentVersion, NO_VERSION } from '../../zone/content-version.ts';
import type { Revision, ZoneBody, ZoneSnapshot } from '../../zone/snapshot.ts';
import type { PlannedChange, ZoneChange } from '../publisher.ts';

/** A change of content that one or several zones take together: it is looked at once. */
export interface ContentStep {
  /** The zone that it is told by: the policy's own, where that is among them. */
  readonly origin: string;
  /** How many zones take it, this one included. */
  readonly zones: number;
  /** Null for a zone that is new. */
  readonly before: ZoneSnapshot | null;
  readonly after: ZoneSnapshot;
  /** Null where the zone is new, or began anew, or the difference is too large to be kept. */
  readonly diff: Revision['diff'] | null;
  /** Whether the zone took over a content that zones of its policy had before. */
  readonly servedBefore: boolean;
}

/**
 * What changes, each content once: the zones of a policy and those of its devices carry the same.
 * Policies of different contents are different steps, even where they share a difference.
 */
export function contentSteps(planned: PlannedChange): readonly ContentStep[] {
  const steps = new Map<string, ContentStep>();
  const wasServed = createServedContents(planned);
  for (const change of planned.changes) {
    const after = planned.after.zones.get(change.origin);
    if (change.toSerial === null || after === undefined) continue;
    // A catalog zone blocks nothing, and follows from which zones there are.
    if (after.body.kind === 'catalog') continue;
    const diff = diffOfChange(change, after);
    const before = planned.before.zones.get(change.origin) ?? null;
    const from = before === null ? NO_VERSION : contentVersion(before.body);
    const key = `${from} ${contentVersion(after.body)}`;
    const known = steps.get(key);
    if (known === undefined) {
      // A policy's own zone that goes on has a new content by its difference: no need to look.
      const servedBefore =
        (diff === null || change.deviceId !== null) && wasServed(contentOf(after.body));
      steps.set(key, { origin: change.origin, zones: 1, before, after, diff, servedBefore });
      continue;
    }
    const isMain = isOwnZone(after) && !isOwnZone(known.after);
    const told = isMain ? { origin: change.origin, before, after } : {};
    steps.set(key, { ...known, ...told, zones: known.zones + 1 });
  }
  return [...steps.values()];
}

/** The difference that led to the zone's new serial, where it is kept. */
export function diffOfChange(
  change: Pick<ZoneChange, 'fromSerial' | 'toSerial'>,
  after: ZoneSnapshot,
): Revision['diff'] | null {
  const last = after.revisions.at(-1);
  if (last === undefined || last.toSerial !== change.toSerial) return null;
  return last.fromSerial === change.fromSerial ? last.diff : null;
}

function isOwnZone({ deviceId, former }: ZoneSnapshot): boolean {
  return deviceId === null && !former;
}

/** The object that zones with the same content share. */
function contentOf(body: ZoneBody): object {
  return body.content;
}

function createServedContents(planned: PlannedChange): (content: object) => boolean {
  let served: Set<object> | undefined;
  return (content) => {
    served ??= new Set(planned.before.zones.values().map(({ body }) => contentOf(body)));
    return served.has(content);
  };
}
