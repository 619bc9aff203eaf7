import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Endpoint, endpointFor } from './endpoint.ts';
import { type SecondaryOptions, sourceValues } from './feed.ts';
import { makePeerFolder, type Peer, startProgram } from './program.ts';
import { fillSample } from './sample.ts';

/** The server section for an NSD that keeps all its files in one folder; more options may follow. */
export function nsdServerLines(folder: string, listen: Endpoint): readonly string[] {
  return [
    `server:`,
    `  ip-address: ${listen.address}@${listen.port}`,
    `  do-ip6: no`,
    `  username: ""`,
    `  chroot: ""`,
    `  zonesdir: "${folder}"`,
    `  database: ""`,
    `  pidfile: "${folder}/nsd.pid"`,
    `  xfrdfile: "${folder}/xfrd.state"`,
    `  zonelistfile: "${folder}/zone.list"`,
    `  xfrdir: "${folder}"`,
    `  server-count: 1`,
    `  verbosity: 2`,
  ];
}

/** NSD as the secondary of a zone, with config/nsd/sluice-secondary.conf. */
export async function startNsd(options: SecondaryOptions): Promise<Peer> {
  const folder = await makePeerFolder('nsd');
  const listen = options.listen ?? (await endpointFor('nsd'));
  const values = sourceValues(options.secondary, listen, folder);
  const configuration = [
    ...nsdServerLines(folder, listen),
    `remote-control:`,
    `  control-enable: no`,
    options.secondary.key === undefined ? '' : await fillSample('nsd/sluice-key.conf', values),
    await fillSample('nsd/sluice-secondary.conf', values),
  ];
  const file = join(folder, 'nsd.conf');
  await writeFile(file, configuration.join('\n'), { mode: 0o600 });
  return startProgram({ program: 'nsd', args: ['-d', '-c', file], folder, listen });
}
