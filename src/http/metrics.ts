import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ZoneSummary } from '../publish/publisher.ts';
import type { MetricFamily } from './api-options.ts';

export interface ApiMetrics {
  readonly contentType: string;
  /** Everything in the text format of Prometheus, as it is now. */
  text(): Promise<string>;
  /** One change that gave zones a new serial: from the request until they were served. */
  published(seconds: number): void;
}

const PUBLISH_BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A registry of its own, so that two servers in one process do not share figures. */
export function createApiMetrics(options: {
  readonly zones: () => readonly ZoneSummary[];
  readonly collect: () => readonly MetricFamily[];
}): ApiMetrics {
  const registry = new Registry();
  const registers = [registry];
  const published = new Histogram({
    name: 'sluice_publish_duration_seconds',
    help: 'From an API request to the new serials being served, for changes that touched zones.',
    buckets: PUBLISH_BUCKETS_SECONDS,
    registers,
  });
  const zones = createZoneGauges(registers);
  const families = new Map<string, Counter | Gauge>();
  return {
    contentType: registry.contentType,
    published: (seconds) => published.observe(seconds),
    text: () => {
      zones.set(options.zones());
      for (const family of options.collect()) setFamily(family, families, registers);
      return registry.metrics();
    },
  };
}

function createZoneGauges(registers: Registry[]) {
  const zones = new Gauge({ name: 'sluice_zones', help: 'Zones that are served.', registers });
  const ofZone = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ['zone'], registers });
  const serial = ofZone('sluice_zone_serial', 'Serial that is served.');
  const records = ofZone('sluice_zone_records', 'Resource records, the SOA counted once.');
  const revisions = ofZone('sluice_zone_revisions', 'Steps that an IXFR can be made of.');
  return {
    set(summaries: readonly ZoneSummary[]): void {
      zones.set(summaries.length);
      // A deleted zone must not go on being reported.
      for (const gauge of [serial, records, revisions]) gauge.reset();
      for (const summary of summaries) {
        const labels = { zone: summary.origin };
        serial.set(labels, summary.serial);
        records.set(labels, summary.records);
        revisions.set(labels, summary.revisions.length);
      }
    },
  };
}

/** Takes over the figures of another room: they are totals already, so a counter starts anew each time. */
function setFamily(
  family: MetricFamily,
  families: Map<string, Counter | Gauge>,
  registers: Registry[],
): void {
  const { name, help, type, labelNames, samples } = family;
  let metric = families.get(name);
  if (metric === undefined) {
    const options = { name, help, labelNames: [...labelNames], registers };
    metric = type === 'counter' ? new Counter(options) : new Gauge(options);
    families.set(name, metric);
  }
  metric.reset();
  for (const { labels, value } of samples) metric.inc({ ...labels }, value);
}
