import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endpointFor } from './endpoint.ts';
import { type SecondaryOptions, sourceValues } from './feed.ts';
import { makePeerFolder, type Peer, startProgram } from './program.ts';
import { fillSample } from './sample.ts';

/** Knot DNS as the secondary of a zone or of a catalog's members, with config/knot. */
export async function startKnot(
  options: SecondaryOptions & {
    /** Take no content of the zone whose ZONEMD (RFC 8976) is missing or wrong. */
    readonly verifiesDigest?: boolean;
  },
): Promise<Peer> {
  const folder = await makePeerFolder('knotd');
  const listen = options.listen ?? (await endpointFor('knotd'));
  const configuration = [
    `server:`,
    `  listen: ${listen.address}@${listen.port}`,
    `  rundir: "${folder}"`,
    `  udp-workers: 1`,
    `  tcp-workers: 1`,
    `  background-workers: 1`,
    `database:`,
    `  storage: "${folder}"`,
    `log:`,
    `  - target: stdout`,
    `    any: info`,
    ...(options.isCatalog ? [] : [`template:`, `  - id: default`, `    storage: "${folder}"`]),
    ...(options.verifiesDigest ? [`    zonemd-verify: on`] : []),
    await fillSample(
      options.isCatalog ? 'knot/sluice-catalog.conf' : 'knot/sluice-secondary.conf',
      sourceValues(options.secondary, listen, folder),
    ),
  ];
  const file = join(folder, 'knot.conf');
  await writeFile(file, configuration.join('\n'), { mode: 0o600 });
  return startProgram({ program: 'knotd', args: ['-c', file], folder, listen });
}
