import { readFileSync } from 'node:fs';
import { type InheritedSockets, startDnsServer } from '../../../src/server/index.ts';
import { echo } from '../echo.ts';

/** A server on sockets that its parent has bound: file descriptors, and where its certificate is. */
const [, , inherited = '{}', certificateFile = '', keyFile = ''] = process.argv;
const silent = { warn: () => {}, error: () => {} };
const server = await startDnsServer(
  {
    // Were it bound, the test would fail: nobody has this address.
    listen: [{ address: '192.0.2.1', port: 53 }],
    tls: {
      listen: [{ address: '192.0.2.1', port: 853 }],
      identity: {
        certificate: readFileSync(certificateFile, 'utf8'),
        key: readFileSync(keyFile, 'utf8'),
        clientAuthorities: null,
      },
    },
    inherited: JSON.parse(inherited) as InheritedSockets,
  },
  echo(),
  silent,
);
process.stdout.write(
  `${JSON.stringify({ addresses: server.addresses(), tls: server.tlsAddresses() })}\n`,
);
process.on('SIGTERM', () => void server.stop({ deadlineMs: 0 }));
