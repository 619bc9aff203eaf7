import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Endpoint, endpointFor } from './endpoint.ts';
import type { FakeInternet } from './fake-internet.ts';
import { sourceValues, type ZoneSource } from './feed.ts';
import { makePeerFolder, type Peer, startProgram } from './program.ts';
import { fillSample } from './sample.ts';

export interface RecursorOptions {
  readonly listen?: Endpoint;
  readonly internet: FakeInternet;
  /** `iterate` from the fake root, for triggers on name servers; default `forward`. */
  readonly upstream?: 'forward' | 'iterate';
  /** A policy to enforce, with config/powerdns/sluice-rpz.lua. */
  readonly rpz?: ZoneSource;
  /** Instead: a policy to enforce from a zone file, and its name. */
  readonly rpzFile?: { readonly zone: string; readonly path: string };
}

/** The PowerDNS Recursor. It asks for new serials every second, as it takes no NOTIFY. */
export async function startRecursor(options: RecursorOptions): Promise<Peer> {
  const folder = await makePeerFolder('pdns_recursor');
  const listen = options.listen ?? (await endpointFor('pdns_recursor'));
  const { internet } = options;
  if (internet.root !== null) {
    const hints = `. 60 IN NS root-server.invalid.\nroot-server.invalid. 60 IN A ${internet.root}\n`;
    await writeFile(join(folder, 'root.hints'), hints);
  }
  const lines = [
    ...ownSettings(listen, folder),
    options.upstream === 'iterate'
      ? `hint-file=${join(folder, 'root.hints')}`
      : `forward-zones-recurse=.=${internet.address}:${internet.port}`,
  ];
  const lua = await policyLua(options, listen, folder);
  if (lua !== null) {
    await writeFile(join(folder, 'rpz.lua'), lua, { mode: 0o600 });
    lines.push(`lua-config-file=${join(folder, 'rpz.lua')}`);
  }
  await writeFile(join(folder, 'recursor.conf'), lines.join('\n'));
  return startProgram({
    program: 'pdns_recursor',
    args: [`--config-dir=${folder}`],
    folder,
    listen,
    internet,
  });
}

async function policyLua(
  { rpz, rpzFile }: RecursorOptions,
  listen: Endpoint,
  folder: string,
): Promise<string | null> {
  if (rpz !== undefined)
    return fillSample('powerdns/sluice-rpz.lua', sourceValues(rpz, listen, folder));
  if (rpzFile === undefined) return null;
  return `rpzFile("${rpzFile.path}", {policyName="${rpzFile.zone}"})\n`;
}

function ownSettings(listen: Endpoint, folder: string): string[] {
  return [
    `local-address=${listen.address}`,
    `local-port=${listen.port}`,
    `query-local-address=${listen.address}`,
    `allow-from=127.0.0.0/8`,
    // Loopback is where the fake Internet is; by default it is never asked.
    `dont-query=`,
    `daemon=no`,
    `socket-dir=${folder}`,
    `setuid=`,
    `setgid=`,
    `threads=1`,
    `dnssec=off`,
    `qname-minimization=no`,
    `security-poll-suffix=`,
    `disable-syslog=yes`,
    `loglevel=6`,
    // Answers from before a change of policy would be given again until their TTL is over.
    `disable-packetcache=yes`,
    `max-mthreads=256`,
  ];
}
