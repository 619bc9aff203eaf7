import type { MetricFamily } from './http/index.ts';
import type { Model } from './policy/model.ts';
import type { ConvergenceSummary, RefusalStatistics, ZoneConvergence } from './publish/index.ts';

/**
 * How far devices have come, as it was last looked at. The three families for each device and zone have
 * a sample for those of `summary.shown` only, so that their number is bounded whatever there is; the
 * totals count all.
 */
export function convergenceMetrics(options: {
  readonly summary: ConvergenceSummary;
  readonly refusals: RefusalStatistics;
  readonly model: Pick<Model, 'accounts'>;
  /** Unix milliseconds. */
  readonly now: number;
}): MetricFamily[] {
  const { summary, refusals, model, now } = options;
  const ofPairs = (
    name: string,
    help: string,
    measure: (zone: ZoneConvergence) => number,
  ): MetricFamily => ({
    name,
    help: `${help} Of the devices and zones that lag most, up to a fixed number.`,
    type: 'gauge',
    labelNames: ['device', 'zone'],
    samples: summary.shown.map((zone) => ({
      labels: { device: labelOf(zone, model), zone: zone.origin },
      value: measure(zone),
    })),
  });
  return [
    ofPairs(
      'sluice_device_lag_seconds',
      'Since the first serial that a device lacks of a zone was published.',
      ({ lag: { since } }) => (since === null ? 0 : Math.max(0, now - since) / 1000),
    ),
    ofPairs(
      'sluice_device_lag_serials',
      'Revisions of a zone that a device lacks.',
      ({ lag: { serials } }) => serials,
    ),
    ofPairs('sluice_device_converged', 'Whether a device has the serial that is served.', (zone) =>
      zone.converged ? 1 : 0,
    ),
    {
      name: 'sluice_devices_behind',
      help: 'Devices that are behind for longer than expected, by the likely reason.',
      type: 'gauge',
      labelNames: ['reason'],
      samples: [...summary.behind].map(([reason, value]) => ({ labels: { reason }, value })),
    },
    {
      name: 'sluice_device_zones',
      help: 'Zones that devices are to hold, all devices together, and how many of them they have.',
      type: 'gauge',
      labelNames: ['what'],
      samples: [
        { labels: { what: 'expected' }, value: summary.pairs },
        { labels: { what: 'converged' }, value: summary.converged },
      ],
    },
    {
      name: 'sluice_device_refusals_total',
      help: 'Questions about our zones that were refused, by whether a device may have sent them.',
      type: 'counter',
      labelNames: ['what'],
      samples: Object.entries(refusals).map(([what, value]) => ({ labels: { what }, value })),
    },
  ];
}

/** Names of devices are unique within their account. */
function labelOf({ device }: ZoneConvergence, { accounts }: Pick<Model, 'accounts'>): string {
  return `${device.name}.${accounts.get(device.accountId)?.label ?? ''}`;
}
