import { rcodeName } from './dns/registry.ts';
import type { MetricFamily } from './http/index.ts';
import type { Notifier } from './notify/index.ts';
import type { RunningDns } from './start-dns.ts';

/** What the DNS server and NOTIFY have counted, as it is now. */
export function serverMetrics(
  { server, observer, frameOctets, rateLimited }: RunningDns,
  notifier: Notifier,
): MetricFamily[] {
  return [
    {
      name: 'sluice_dns_answers_total',
      help: 'Answers by transport and RCODE.',
      type: 'counter',
      labelNames: ['protocol', 'rcode'],
      samples: Object.entries(observer.answers).flatMap(([protocol, counts]) =>
        [...counts].map(([rcode, value]) => ({
          labels: { protocol, rcode: rcodeName(rcode) },
          value,
        })),
      ),
    },
    {
      name: 'sluice_dns_rate_limited_total',
      help: 'Answers over UDP above the limit for their network: dropped, or slipped out truncated.',
      type: 'counter',
      labelNames: ['what'],
      samples: Object.entries(rateLimited()).map(([what, value]) => ({ labels: { what }, value })),
    },
    statistics(
      'sluice_dns_server',
      'Sockets, connections and transfers since the start.',
      server.statistics(),
    ),
    statistics('sluice_notify', 'NOTIFY messages since the start.', notifier.statistics()),
    {
      name: 'sluice_transfer_frame_octets',
      help: 'Memory that encoded transfers take.',
      type: 'gauge',
      labelNames: [],
      samples: [{ labels: {}, value: frameOctets() }],
    },
  ];
}

function statistics(name: string, help: string, values: object): MetricFamily {
  return {
    name,
    help,
    type: 'gauge',
    labelNames: ['what'],
    samples: Object.entries(values).map(([what, value]) => ({ labels: { what }, value })),
  };
}
