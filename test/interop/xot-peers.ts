import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CertificateFiles } from '../support/certificate.ts';
import type { Endpoint } from './peers/endpoint.ts';
import { nsdServerLines } from './peers/nsd.ts';
import { makePeerFolder, type Peer, startProgram } from './peers/program.ts';
import { findProgram } from './peers/require-peer.ts';
import { fillSample } from './peers/sample.ts';
import { keyValues, type TsigKey } from './peers/tsig-key.ts';

/** A zone that a peer takes over TLS. */
export interface XotSource {
  readonly zone: string;
  /** Where the primary speaks TLS. */
  readonly primary: Endpoint;
  /** In PEM: who signed the primary's certificate, and the DNS name in it. */
  readonly authoritiesFile: string;
  readonly primaryName: string;
  readonly key?: TsigKey;
  /** Shown to the primary. */
  readonly certificate?: CertificateFiles;
}

export interface XotPeerOptions {
  readonly listen: Endpoint;
  readonly source: XotSource;
}

/** BIND as the secondary of a zone over TLS, with config/bind/sluice-zone-over-tls.conf. */
export async function startNamedOverTls({ listen, source }: XotPeerOptions): Promise<Peer> {
  const folder = await makePeerFolder('named');
  const { key, certificate } = source;
  const configuration = [
    key === undefined ? '' : await fillSample('bind/sluice-key.conf', keyValues(key)),
    `options {`,
    `  directory "${folder}";`,
    `  listen-on port ${listen.port} { ${listen.address}; };`,
    `  listen-on-v6 { none; };`,
    `  recursion no;`,
    `  min-refresh-time 1; max-refresh-time 1; min-retry-time 1; max-retry-time 1;`,
    `  pid-file none; lock-file none; session-keyfile none;`,
    `};`,
    `controls { };`,
    await fillSample('bind/sluice-zone-over-tls.conf', {
      ...keyValues(key),
      zone: source.zone,
      'authorities-file': source.authoritiesFile,
      'primary-name': source.primaryName,
      'primary-address': source.primary.address,
      'primary-tls-port': source.primary.port,
      'own-certificate-file': certificate?.certificateFile,
      'own-certificate-key-file': certificate?.keyFile,
      clients: '127.0.0.0/8',
    }),
  ];
  const file = join(folder, 'named.conf');
  await writeFile(file, configuration.join('\n'), { mode: 0o600 });
  return startProgram({ program: 'named', args: ['-g', '-c', file], folder, listen });
}

/**
 * NSD as the secondary of a zone over TLS. (Unbound 1.17 is not here: before it transfers over TLS, it
 * asks for the SOA over UDP in clear at the port for TLS, where RFC 7858 section 3.1 has no DNS.)
 */
export async function startNsdOverTls({ listen, source }: XotPeerOptions): Promise<Peer> {
  const folder = await makePeerFolder('nsd');
  const { key, certificate, primary } = source;
  const configuration = [
    ...nsdServerLines(folder, listen),
    `  tls-cert-bundle: "${source.authoritiesFile}"`,
    `remote-control:`,
    `  control-enable: no`,
    key === undefined ? '' : await fillSample('nsd/sluice-key.conf', keyValues(key)),
    `tls-auth:`,
    `  name: "sluice"`,
    `  auth-domain-name: "${source.primaryName}"`,
    ...(certificate === undefined
      ? []
      : [
          `  client-cert: "${certificate.certificateFile}"`,
          `  client-key: "${certificate.keyFile}"`,
        ]),
    `zone:`,
    `  name: "${source.zone}"`,
    `  request-xfr: ${primary.address}@${primary.port} ${key?.name ?? 'NOKEY'} sluice`,
    `  allow-notify: ${primary.address} ${key?.name ?? 'NOKEY'}`,
    `  min-refresh-time: 1`,
    `  max-refresh-time: 1`,
    `  provide-xfr: 127.0.0.0/8 NOKEY`,
  ];
  const file = join(folder, 'nsd.conf');
  await writeFile(file, configuration.join('\n'), { mode: 0o600 });
  return startProgram({ program: 'nsd', args: ['-d', '-c', file], folder, listen });
}

const run = promisify(execFile);
const OUTPUT_OCTETS_MAX = 64 * 1024 * 1024;

/** What kdig prints, over TLS; rejects when it fails. */
export async function kdigOverTls(
  server: Endpoint,
  args: readonly string[],
  key?: TsigKey,
): Promise<string> {
  const signed = key === undefined ? [] : ['-y', `${key.algorithm}:${key.name}:${key.secret}`];
  const { stdout } = await run(
    findProgram('kdig')!,
    [`@${server.address}`, '-p', String(server.port), '+tls', '+time=5', ...signed, ...args],
    { maxBuffer: OUTPUT_OCTETS_MAX },
  );
  return stdout;
}
