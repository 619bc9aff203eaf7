import { memberCount } from '../policy/member-sets.ts';
import type { Model } from '../policy/model.ts';
import { type FeedSlot, statusOf } from './feed-slot.ts';

/** One metric with its samples, as the scrape shows it. */
export interface FeedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly labelNames: readonly string[];
  readonly samples: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

/** What an alert on feeds needs: how old what is served is, and what asks for a person. */
export function feedMetrics(
  slots: Iterable<FeedSlot>,
  { model, runs, now }: { model: Model; runs: ReadonlyMap<string, number>; now: number },
): FeedMetric[] {
  const all = [...slots];
  const labelsOf = ({ feed }: FeedSlot) => ({
    feed: String(feed.id),
    target: model.targets.get(feed.targetId)?.name ?? '',
  });
  const gauge = (name: string, help: string, figureOf: (slot: FeedSlot) => number): FeedMetric => ({
    name,
    help,
    type: 'gauge',
    labelNames: ['feed', 'target'],
    samples: all.map((slot) => ({ labels: labelsOf(slot), value: figureOf(slot) })),
  });
  return [
    gauge(
      'sluice_feed_age_seconds',
      'Since the source was last found as it is published; since the feed was made if it never was.',
      ({ feed, state }) => Math.max(0, now - (state.lastSuccessAt ?? feed.createdAt)) / 1_000,
    ),
    gauge(
      'sluice_feed_failures',
      'Runs that failed since the last one that did not.',
      ({ state }) => state.failures,
    ),
    gauge('sluice_feed_held', 'Whether a run waits for a person.', ({ held }) =>
      held === null ? 0 : 1,
    ),
    gauge('sluice_feed_paused', 'Whether the feed is paused.', (slot) =>
      slot.feed.enabled ? 0 : 1,
    ),
    gauge('sluice_feed_entries', 'Indicators that its target holds.', ({ feed }) => {
      const target = model.targets.get(feed.targetId);
      return target === undefined ? 0 : memberCount(target.members);
    }),
    gauge('sluice_feed_running', 'Whether a run is under way or waits for its turn.', (slot) =>
      statusOf(slot).running === null ? 0 : 1,
    ),
    {
      name: 'sluice_feed_runs_total',
      help: 'Runs since the start by their end.',
      type: 'counter',
      labelNames: ['end'],
      samples: [...runs].map(([end, value]) => ({ labels: { end }, value })),
    },
  ];
}
