import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endpointFor } from './endpoint.ts';
import type { FakeInternet } from './fake-internet.ts';
import { makePeerFolder, type Peer, startProgram } from './program.ts';
import { fillSample } from './sample.ts';

/** Knot Resolver, which takes policies from zone files only, with config/knot-resolver/sluice-rpz.conf. */
export async function startKresd(options: {
  readonly internet: FakeInternet;
  readonly rpzPath: string;
}): Promise<Peer> {
  const folder = await makePeerFolder('kresd');
  const listen = await endpointFor('kresd');
  const { internet, rpzPath } = options;
  const configuration = [
    `net.listen('${listen.address}', ${listen.port}, { kind = 'dns' })`,
    `net.ipv6 = false`,
    `trust_anchors.remove('.')`,
    `log_target('stdout')`,
    await fillSample('knot-resolver/sluice-rpz.conf', { 'zone-file': rpzPath }),
    // The small Internet answers names as they are spelt, and no DNSSEC.
    `policy.add(policy.all(policy.FLAGS({ 'NO_0X20', 'NO_EDNS' })))`,
    `policy.add(policy.all(policy.STUB('${internet.address}@${internet.port}')))`,
  ];
  const file = join(folder, 'kresd.conf');
  await writeFile(file, configuration.join('\n'));
  const args = ['--noninteractive', '-c', file, folder];
  return startProgram({ program: 'kresd', args, folder, listen, internet });
}
