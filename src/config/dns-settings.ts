import { listOf, required, section, setting } from './shape.ts';
import {
  duration,
  flag,
  integer,
  ipAddress,
  ipNetwork,
  orNone,
  port,
  size,
  text,
} from './value-kinds.ts';

/** The settings of the DNS server. */
export const DNS_SETTINGS = section('The DNS server: queries, transfers and NOTIFY answers.', {
  listen: listOf(section('', { address: required(ipAddress), port: required(port) }), {
    itemsMin: 1,
    itemsMax: 16,
    fallback: [{ address: '127.0.0.1', port: '5300' }],
    description:
      'Where queries are answered, each address over UDP and TCP. To serve other machines add addresses of this one; who may ask for what is decided per device, and nobody else gets zone data.',
  }),
  udpPayloadMaxOctets: setting(
    size('512 B', '4096 B'),
    '1232 B',
    'The largest answer over UDP, and what is announced in EDNS. What is larger goes over TCP. 1232 octets pass every IPv6 path without fragments.',
  ),
  tls: section(
    'DNS over TLS (RFC 7858) and zone transfers over TLS (RFC 9103), TLS 1.3 only. Used when listen names an address.',
    {
      listen: listOf(section('', { address: required(ipAddress), port: required(port) }), {
        itemsMax: 16,
        fallback: [],
        description: 'Where TLS is spoken; the port of the standards is 853.',
      }),
      certificateFile: setting(
        orNone(text(1024)),
        'none',
        'The certificate of this server in PEM, then those that lead to an authority. Read again when it changes and on SIGHUP, without a restart; relative to the directory that the server is started in. Needs keyFile.',
      ),
      keyFile: setting(
        orNone(text(1024)),
        'none',
        'The private key of the certificate in PEM, readable by the server alone.',
      ),
      clientAuthoritiesFile: setting(
        orNone(text(1024)),
        'none',
        'Authorities in PEM whose client certificates are accepted: a device is then known by the name in its certificate. With none no certificate is asked for.',
      ),
    },
  ),
  proxyProtocol: section('Load balancers that speak the PROXY protocol, version 2.', {
    from: listOf(required(ipNetwork), {
      itemsMax: 100,
      fallback: [],
      description:
        'Addresses and prefixes of such load balancers. What comes from them over UDP, TCP and TLS must begin with the header of the protocol, and its address counts as the client. From anyone else the header is not accepted.',
    }),
  }),
  identity: section('What the server says of itself. With none it says nothing.', {
    version: setting(
      orNone(text(255)),
      'none',
      'The answer to version.bind and version.server (class CHAOS, type TXT).',
    ),
    id: setting(
      orNone(text(255)),
      'none',
      'The answer to id.server and hostname.bind (RFC 4892), for telling several servers apart.',
    ),
    nsid: setting(
      orNone(text(255)),
      'none',
      'The name server identifier (RFC 5001) that a query may ask for.',
    ),
  }),
  cookies: section(
    'DNS Cookies (RFC 7873, RFC 9018), by which a client shows that its address is its own.',
    {
      enabled: setting(flag, 'true', 'Answer cookies.'),
      required: setting(
        flag,
        'false',
        'Answer UDP queries without a valid server cookie with BADCOOKIE, and those without any cookie with TC, so that they come over TCP. Signed queries and NOTIFY need none.',
      ),
      secretFile: setting(
        orNone(text(1024)),
        'none',
        'Secrets for several servers behind one address: lines of 32 hexadecimal digits, of which the first makes cookies and all are accepted. Read again on SIGHUP. With none a secret is made at the start and replaced by itself.',
      ),
      rotationMs: setting(
        duration('1h', '36d'),
        '1d',
        'How often a secret that was made here is replaced. The one before stays accepted for an hour, as long as a cookie is valid.',
      ),
    },
  ),
  rateLimit: section(
    'Limits on UDP answers to one network, so that nobody can be flooded through this server. Clients with a valid cookie or a valid signature are not limited.',
    {
      answersPerSecond: setting(
        integer(0, 1_000_000),
        '1000',
        'Answers of one kind to one network in a second: to one question, negative ones of one zone, refusals, errors. 0 sets no limit.',
      ),
      slip: setting(
        integer(0, 10),
        '2',
        'Every so many answers above the limit one is sent truncated, so that a true client comes over TCP; the others are dropped. 0 drops all.',
      ),
      ipv4PrefixLength: setting(integer(8, 32), '24', 'What counts as one network, IPv4.'),
      ipv6PrefixLength: setting(integer(16, 128), '56', 'What counts as one network, IPv6.'),
      exempt: listOf(required(ipNetwork), {
        itemsMax: 1000,
        fallback: [],
        description: 'Addresses and prefixes that are not limited.',
      }),
    },
  ),
  tcp: section('Limits on TCP connections (RFC 7766 section 6.2).', {
    connectionsMax: setting(
      integer(1, 65_535),
      '1024',
      'Open connections in all. A new one above it is closed at once.',
    ),
    connectionsPerClientMax: setting(
      integer(1, 65_535),
      '64',
      'Open connections from one address.',
    ),
    queriesPendingMax: setting(
      integer(1, 10_000),
      '100',
      'Queries of one connection that wait for their answers. While it is reached nothing more is read from that connection.',
    ),
    idleTimeoutMs: setting(
      duration('1s', '1h'),
      '10s',
      'A connection without a query or a running answer is closed after this time.',
    ),
  }),
  transfers: section('Limits on zone transfers (AXFR, and IXFR over TCP).', {
    runningMax: setting(
      integer(1, 10_000),
      '100',
      'Transfers that run at the same time. Further ones wait their turn.',
    ),
    runningPerClientMax: setting(
      integer(1, 10_000),
      '16',
      'Transfers to one address at the same time.',
    ),
    runningPerKeyMax: setting(
      integer(1, 10_000),
      '16',
      'Transfers that one TSIG key signed for at the same time, from whatever addresses. A key can have a limit of its own.',
    ),
    stallTimeoutMs: setting(
      duration('1s', '1h'),
      '30s',
      'A transfer whose client reads nothing for this time is cut off, at the latest after twice the time.',
    ),
  }),
});
