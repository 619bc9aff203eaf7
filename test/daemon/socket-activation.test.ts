import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { requirePeer } from '../interop/peers/index.ts';
import { clientOn } from '../server/tcp-client.ts';
import { freePorts } from '../support/child-sluice.ts';
import { askByTcp, askByUdp, framed } from '../support/dns-clients.ts';
import { makeQuery } from '../support/dns-query.ts';
import { readAnswer } from '../support/transfer.ts';
import { startDaemon } from './daemon.ts';
import { nameIn, openTls, replaceableCertificate } from './tls-client.ts';

/**
 * What systemd does for a service with socket units: binds, puts the sockets at descriptor 3 and
 * above, says so in the environment of the process that it becomes. Arguments: the names, the
 * sockets as `udp:address:port`, then the program.
 */
const ACTIVATE = `
import os, socket, sys
names, wanted, program = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
sockets = []
for text in wanted:
    kind, address, port = text.split("|")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, int(port)))
    if kind == "tcp": s.listen(16)
    sockets.append(os.dup2(s.fileno(), 100 + len(sockets)))
for index, fd in enumerate(sockets): os.dup2(fd, 3 + index, inheritable=True)
os.closerange(3 + len(sockets), 200)
os.environ.update(LISTEN_PID=os.environ.get("FAKE_PID") or str(os.getpid()), LISTEN_FDS=str(len(sockets)))
if names: os.environ["LISTEN_FDNAMES"] = names
os.execvp(program[0], program)
`;

const through = (names: string, sockets: readonly string[]) => [
  'python3',
  '-c',
  ACTIVATE,
  names,
  sockets.join(','),
];
const SOA = () => makeQuery('sluice.internal.', 'SOA', { edns: {} });
const SERVFAIL = 2;
const REFUSED = 5;

describe.skipIf(!requirePeer('python3'))('sockets that the service manager has bound', () => {
  it('are answered on, over UDP and TCP, IPv4 and IPv6, instead of dns.listen', async () => {
    const ports = await freePorts();
    const [given, other] = [ports.dns, (await freePorts()).dns];
    const sockets = ['127.0.0.1', '::1'].flatMap((address) => [
      `udp|${address}|${given}`,
      `tcp|${address}|${given}`,
    ]);
    const daemon = await startDaemon({
      ports: { dns: other, http: ports.http },
      through: through('dns:dns:dns-udp:dns-tcp', sockets),
    });
    await daemon.started;
    for (const address of ['127.0.0.1', '::1']) {
      for (const ask of [askByUdp, askByTcp]) {
        expect((await ask({ address, port: given }, SOA())).rcode, address).toBe(REFUSED);
      }
    }
    const { dns } = await daemon.record('listening');
    expect(dns).toEqual([
      { address: '127.0.0.1', port: given },
      { address: '::1', port: given },
    ]);
    await expect(connectTo(other)).rejects.toThrow('ECONNREFUSED');
  });

  it.skipIf(!requirePeer('openssl'))('speak TLS where their name is dns-tls', async () => {
    const { authority, files, use } = replaceableCertificate();
    use('DNS:activated.example');
    const [plain, secured, unused] = await Promise.all([freePorts(), freePorts(), freePorts()]);
    const sockets = [
      `udp|127.0.0.1|${plain.dns}`,
      `tcp|127.0.0.1|${secured.dns}`,
      `tcp|127.0.0.1|${plain.dns}`,
    ];
    const daemon = await startDaemon({
      ports: { dns: unused.dns, http: plain.http },
      through: through('dns:dns-tls:dns', sockets),
      yaml: [
        '  tls:',
        `    listen: [{address: 127.0.0.1, port: ${unused.http}}]`,
        `    certificateFile: ${files.certificateFile}`,
        `    keyFile: ${files.keyFile}`,
      ].join('\n'),
    });
    await daemon.started;
    const connection = await openTls(secured.dns, authority);
    expect(nameIn(connection)).toBe('DNS:activated.example');
    const client = clientOn(connection);
    client.send(framed(SOA().bytes));
    expect(readAnswer(await client.message()).rcode).toBe(REFUSED);
    expect((await daemon.record('listening')).tls).toEqual([
      { address: '127.0.0.1', port: secured.dns },
    ]);
    await expect(connectTo(unused.http)).rejects.toThrow('ECONNREFUSED');
  });

  it('need no names', async () => {
    const { dns: port } = await freePorts();
    const sockets = [`udp|127.0.0.1|${port}`, `tcp|127.0.0.1|${port}`];
    const daemon = await startDaemon({ through: through('', sockets) });
    await daemon.started;
    for (const ask of [askByUdp, askByTcp]) {
      expect((await ask({ address: '127.0.0.1', port }, SOA())).rcode).toBe(REFUSED);
    }
  });

  it('are left alone when they are meant for another process', async () => {
    const { dns: port } = await freePorts();
    const daemon = await startDaemon({
      through: through('dns', [`udp|127.0.0.1|${port}`]),
      env: { FAKE_PID: '1' },
    });
    await daemon.started;
    expect((await askByUdp(daemon.dns, SOA())).rcode).toBe(REFUSED);
    expect((await daemon.record('listening')).dns).toEqual([daemon.dns]);
  });

  it.each([
    [
      'dns-tsl',
      'tcp',
      /LISTEN_FDNAMES: dns-tsl: for a TCP socket FileDescriptorName= must be dns, dns-tcp or dns-tls/,
    ],
    ['dns-udp', 'tcp', /LISTEN_FDNAMES: dns-udp: for a TCP socket/],
    [
      'dns-tls',
      'udp',
      /LISTEN_FDNAMES: dns-tls: for a UDP socket FileDescriptorName= must be dns, dns-udp/,
    ],
    ['toString', 'udp', /LISTEN_FDNAMES: toString: for a UDP socket/],
    ['dns-tls', 'tcp', /LISTEN_FDNAMES: dns-tls: .*dns\.tls/],
  ])(
    'stop the start when a socket named %s is for %s, where that cannot be',
    async (name, kind, message) => {
      const { dns: port } = await freePorts();
      const daemon = await startDaemon({ through: through(name, [`${kind}|127.0.0.1|${port}`]) });
      expect(await daemon.exited).toEqual({ code: 1, signal: null });
      expect(daemon.output()).toMatch(message);
    },
  );
});

describe.skipIf(!requirePeer('systemd-socket-activate'))('systemd-socket-activate', () => {
  it('starts the server with the first connection, which is told that zones are being loaded', async () => {
    const { dns: port, http } = await freePorts();
    const listen = [`--listen=127.0.0.1:${port}`, '--fdname=dns-tcp'];
    const daemon = await startDaemon({
      ports: { dns: port, http },
      through: ['systemd-socket-activate', ...listen, '-E', 'SLUICE_CONFIG', '-E', 'PATH'],
    });
    const asked = askUntilThere(port);
    await daemon.started;
    const { rcode, edns } = await asked;
    expect(rcode).toBe(SERVFAIL);
    // RFC 8914 section 4.15: Not Ready.
    expect(edns?.options).toEqual([{ code: 15, data: Uint8Array.of(0, 14) }]);
    expect((await askByTcp({ address: '127.0.0.1', port }, SOA())).rcode).toBe(REFUSED);
  });
});

/** The program needs a moment to listen; what is then asked waits until the server is there. */
async function askUntilThere(port: number): ReturnType<typeof askByTcp> {
  for (;;) {
    try {
      await connectTo(port);
      return await askByTcp({ address: '127.0.0.1', port }, SOA());
    } catch (error) {
      if (!String(error).includes('ECONNREFUSED')) throw error;
    }
  }
}

async function connectTo(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.destroy();
}
