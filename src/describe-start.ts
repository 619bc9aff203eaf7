import type { Config } from './config/index.ts';
import type { Device } from './policy/model.ts';
import { isSecondary } from './policy/secondary.ts';
import type { ZoneSummary } from './publish/index.ts';
import type { Sluice } from './sluice.ts';

/** Zones that a start tells of; the admin API has them all. */
const ZONES_SHOWN_MAX = 40;

/** What a person needs after the start: where it listens, what it serves and how to ask for it. */
export function describeStart(sluice: Sluice, config: Config, version: string): string {
  const dns = sluice.dnsAddresses();
  const http = sluice.httpAddress();
  const { address = '127.0.0.1', port = 53 } = dns[0] ?? {};
  const scheme = config.http.tls.certificateFile === null ? 'http' : 'https';
  const base = `${scheme}://${http.address.includes(':') ? `[${http.address}]` : http.address}:${http.port}`;
  const lines = [
    `Sluice ${version}`,
    '',
    ...dns.map((listen) => `DNS    ${listen.address} port ${listen.port}, UDP and TCP`),
    ...sluice
      .dnsTlsAddresses()
      .map((listen) => `DNS    ${listen.address} port ${listen.port}, TLS`),
    `${scheme.toUpperCase().padEnd(6)} ${base}/api/v1, documentation at ${base}/api/docs`,
    `Data   ${config.dataDirectory}`,
    '',
    'Zones, and how to look at them:',
  ];
  const zones = sluice.publisher.zones();
  const devices = [...sluice.publisher.model.devices.values()];
  // The zones of policies first; those of devices carry the same under names that stay.
  const inOrder = [...zones].sort(
    (a, b) => Number(a.deviceId !== null) - Number(b.deviceId !== null),
  );
  for (const zone of inOrder.slice(0, ZONES_SHOWN_MAX)) {
    lines.push(
      `  ${zone.origin} serial ${zone.serial}, ${zone.records} records`,
      howToRead(zone, devices, `dig @${address} -p ${port} ${zone.origin} AXFR`),
    );
  }
  if (zones.length > ZONES_SHOWN_MAX) {
    lines.push(`  and ${zones.length - ZONES_SHOWN_MAX} more: GET ${base}/api/v1/zones`);
  }
  if (sluice.adminToken !== null) {
    lines.push(
      '',
      'Admin token, shown this once (only its hash is kept):',
      `  ${sluice.adminToken}`,
      `  curl -H 'Authorization: Bearer ${sluice.adminToken}' ${base}/api/v1/policies`,
    );
  }
  return `${lines.join('\n')}\n\n`;
}

/** Who may read a zone is a matter of the devices; without one for it nobody may. */
function howToRead(
  { deviceId, policyId, side }: ZoneSummary,
  devices: readonly Device[],
  command: string,
): string {
  const isRead =
    side === 'catalog'
      ? devices.some(isSecondary)
      : deviceId !== null || devices.some((device) => device.policyId === policyId);
  if (isRead) return `    ${command}`;
  return side === 'catalog'
    ? '    refused to everyone until there is a device that is a secondary'
    : '    refused to everyone until a device is assigned the policy';
}
