import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Endpoint, endpointFor } from './endpoint.ts';
import type { FakeInternet } from './fake-internet.ts';
import { sourceValues, type ZoneSource } from './feed.ts';
import { makePeerFolder, type Peer, startProgram } from './program.ts';
import { fillSample } from './sample.ts';

export interface UnboundOptions {
  readonly listen?: Endpoint;
  readonly internet?: FakeInternet;
  /** Instead of the fake Internet: a domain, and the server that has authority over it. */
  readonly authority?: { readonly domain: string; readonly server: Endpoint };
  /** `iterate` from the fake root, for triggers on name servers; default `forward`. */
  readonly upstream?: 'forward' | 'iterate';
  /** A policy to enforce, with config/unbound/sluice-rpz.conf. It has no TSIG. */
  readonly rpz?: Omit<ZoneSource, 'key'>;
  /** More lines for the `server:` clause. */
  readonly extraOptions?: string;
}

export async function startUnbound(options: UnboundOptions): Promise<Peer> {
  const folder = await makePeerFolder('unbound');
  const listen = options.listen ?? (await endpointFor('unbound'));
  const { internet, rpz } = options;
  if (internet !== undefined && internet.root !== null) {
    const hints = `. 60 NS root-server.invalid.\nroot-server.invalid. 60 A ${internet.root}\n`;
    await writeFile(join(folder, 'root.hints'), hints);
  }
  const configuration = [
    ...ownOptions(listen, folder),
    options.upstream === 'iterate' ? '  root-hints: "root.hints"' : '',
    options.extraOptions ?? '',
    rpz === undefined
      ? ''
      : await fillSample('unbound/sluice-rpz.conf', sourceValues(rpz, listen, folder)),
    upstreamClause(options),
  ];
  const file = join(folder, 'unbound.conf');
  await writeFile(file, configuration.join('\n'));
  return startProgram({
    program: 'unbound',
    args: ['-d', '-p', '-c', file],
    folder,
    listen,
    internet,
  });
}

function upstreamClause({ internet, authority, upstream }: UnboundOptions): string {
  if (authority !== undefined) {
    const { address, port } = authority.server;
    return `stub-zone:\n  name: "${authority.domain}"\n  stub-addr: ${address}@${port}`;
  }
  if (internet === undefined || upstream === 'iterate') return '';
  return `forward-zone:\n  name: "."\n  forward-addr: ${internet.address}@${internet.port}`;
}

function ownOptions(listen: Endpoint, folder: string): string[] {
  return [
    `server:`,
    `  interface: ${listen.address}@${listen.port}`,
    `  outgoing-interface: ${listen.address}`,
    `  access-control: 127.0.0.0/8 allow`,
    `  do-ip6: no`,
    `  do-not-query-localhost: no`,
    `  do-daemonize: no`,
    `  username: ""`,
    `  chroot: ""`,
    `  directory: "${folder}"`,
    `  pidfile: ""`,
    `  use-syslog: no`,
    `  logfile: ""`,
    `  verbosity: 2`,
    `  num-threads: 1`,
    `  qname-minimisation: no`,
    `  target-fetch-policy: "0 0 0 0 0"`,
    `remote-control:`,
    `  control-enable: no`,
    `server:`,
  ];
}
