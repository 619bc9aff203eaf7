import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endpointFor } from './endpoint.ts';
import { makePeerFolder, type Peer, startProgram } from './program.ts';

export interface Nginx extends Peer {
  /** Where it serves `path`: `http://127.…/path`. */
  url(path: string): string;
  /** The folder whose files it serves. */
  readonly files: string;
}

/** nginx as a server of files, with further lines for its `server { … }`. */
export async function startNginx(options: {
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly server?: (folder: string) => string;
}): Promise<Nginx> {
  const folder = await makePeerFolder('nginx');
  const listen = await endpointFor('nginx');
  const files = join(folder, 'files');
  await mkdir(files);
  for (const [name, content] of Object.entries(options.files)) {
    await writeFile(join(files, name), content);
  }
  // The paths that Debian compiled in belong to root.
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const configuration = [
    `daemon off;`,
    `master_process off;`,
    `pid ${folder}/nginx.pid;`,
    `error_log stderr;`,
    `events { worker_connections 64; }`,
    `http {`,
    `  access_log ${folder}/access.log;`,
    ...temporary.map((kind) => `  ${kind}_temp_path ${folder}/${kind};`),
    `  default_type text/plain;`,
    `  server {`,
    `    listen ${listen.address}:${listen.port};`,
    `    root ${files};`,
    options.server?.(folder) ?? '',
    `  }`,
    `}`,
  ];
  const file = join(folder, 'nginx.conf');
  await writeFile(file, configuration.join('\n'), { mode: 0o600 });
  const url = (path: string) => `http://${listen.address}:${listen.port}${path}`;
  const peer = await startProgram({
    program: 'nginx',
    args: ['-c', file, '-e', 'stderr'],
    folder,
    listen,
    answers: () => fetch(url('/')),
  });
  return { ...peer, url, files };
}
