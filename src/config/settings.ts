import { DNS_SETTINGS } from './dns-settings.ts';
import { absoluteName, rootName, shortLabel } from './name-kinds.ts';
import { listOf, required, section, setting, type ValueOf } from './shape.ts';
import {
  choice,
  duration,
  flag,
  integer,
  ipAddress,
  ipNetwork,
  ipPrefix,
  orNone,
  port,
  size,
  text,
  webAddress,
  wholeSeconds,
} from './value-kinds.ts';

/**
 * Every setting: its kind (which holds the rule and the unit), its default and what it is for.
 * The type `Config`, the checks and config/sluice.yaml all come from here. A property that ends in
 * Ms, Seconds or Octets is written without that ending in the file, where the unit stands with
 * the value.
 */
export const SETTINGS = section('', {
  root: setting(
    rootName,
    'sluice.internal',
    'The name that all zones are below: zone names are rpz.<policy>.<account>.<root>, and block and allow in the place of rpz. Nobody outside needs to know it, but resolvers must not answer it by themselves. Change it before devices are configured: their zone names change with it.',
  ),
  account: setting(
    shortLabel('an account label'),
    'main',
    'The label of the first account, part of its zone names. Used when the database is created.',
  ),
  dataDirectory: setting(
    text(1024),
    'data',
    'Where the database and the key file are kept. Relative to the directory that the server is started in; created when missing, readable by the server alone.',
  ),
  sampleCatalogue: setting(
    flag,
    'true',
    'Whether a new database starts with the targets, bundles, policies and devices in zones/. They name documentation names and addresses only and block nothing real.',
  ),
  dns: DNS_SETTINGS,
  tsig: section('Transaction signatures (RFC 8945).', {
    allowSha1: setting(
      flag,
      'false',
      'Accept keys for hmac-sha1, for devices that know nothing better (RFC 8945 section 6).',
    ),
    allowMd5: setting(
      flag,
      'false',
      'Accept keys for hmac-md5, which RFC 8945 section 6 says must not be used any more.',
    ),
    retireAfterMs: setting(
      duration('1m', '90d'),
      '1d',
      'When a device has signed with the key that takes over in a rotation, its older keys end after this time, unless they end sooner.',
    ),
  }),
  soa: section('The SOA record of every zone.', {
    ns: setting(
      absoluteName,
      'ns.<root>',
      'Name of the primary (MNAME), and the NS of IP zones. <root> at the end stands for the root.',
    ),
    hostmaster: setting(
      absoluteName,
      'hostmaster.<root>',
      'Mailbox of the person in charge (RNAME): the @ is written as a dot, RFC 1035 section 8. <root> at the end stands for the root.',
    ),
    refreshSeconds: setting(
      wholeSeconds('10s', '7d'),
      '900s',
      'How often secondaries ask for a new serial when no NOTIFY came.',
    ),
    retrySeconds: setting(
      wholeSeconds('5s', '1d'),
      '300s',
      'How soon they ask again after a failure. Must be shorter than refresh.',
    ),
    expireSeconds: setting(
      // Interop.md, rule 8: a device keeps enforcing what it has for two weeks of silence at least.
      wholeSeconds('14d', '365d'),
      '1209600s',
      'How long they enforce what they have when we cannot be reached. At least 14 days.',
    ),
    minimumSeconds: setting(
      wholeSeconds('0s', '1d'),
      '60s',
      'How long a negative answer may be kept (RFC 2308 section 4).',
    ),
  }),
  zones: section('What zones are made of, besides their policies.', {
    catalogs: setting(
      flag,
      'true',
      'Serve catalog zones (RFC 9432): catalog.<account>.<root> with the zones of an account, and catalog.<root> with all zones. Secondaries that understand them take up new zones and drop old ones by themselves.',
    ),
    zonemd: setting(
      flag,
      'true',
      'Put a message digest (ZONEMD, RFC 8976) into IP and catalog zones, by which a consumer can tell that it has all of a zone. Never into response policy zones, where consumers would take it for a rule.',
    ),
  }),
  policies: section('Policies.', {
    ttlSeconds: setting(
      wholeSeconds('1s', '1d'),
      '60s',
      'TTL of the records of the zones of a new policy. It can be changed for each policy.',
    ),
    renameGraceMs: setting(
      duration('0s', '365d'),
      '14d',
      'How long the zones of a policy go on answering under its former name when it is renamed: the time to point devices to the new names.',
    ),
  }),
  changes: section(
    'What is unusual in a change. Warnings are shown by a dry run; above the limits a change is held until somebody confirms it.',
    {
      warnShrinkPercent: setting(
        integer(0, 100),
        '20',
        'Warn when a zone loses more than this share of its records.',
      ),
      warnGrowPercent: setting(
        integer(0, 1_000_000),
        '100',
        'Warn when a zone gains more than this share of its records.',
      ),
      holdShrinkPercent: setting(
        integer(0, 100),
        '50',
        'Hold a change by which a zone loses more than this share of its records; 0 never holds.',
      ),
      holdGrowPercent: setting(
        integer(0, 1_000_000),
        '400',
        'Hold a change by which a zone gains more than this share of its records; 0 never holds.',
      ),
      recordsMin: setting(
        integer(0, 1_000_000_000),
        '1000',
        'Zones with fewer records before the change are not measured by shares.',
      ),
      holdNeverBlock: setting(
        flag,
        'true',
        'Hold a change that newly blocks a name or address of zones/never-block.txt, a suffix of a registry, a private or reserved address, or one of ownNetworks. When false it only warns.',
      ),
      ownNetworks: listOf(required(ipPrefix), {
        itemsMax: 1000,
        fallback: [],
        description:
          'Prefixes of your own network, such as 192.0.2.0/24, which are not to be blocked.',
      }),
    },
  ),
  journal: section(
    'History of each zone, from which IXFR is answered. A secondary that is further behind gets an AXFR.',
    {
      revisionsMax: setting(integer(1, 100_000), '100', 'Revisions that are kept for each zone.'),
      zoneMaxOctets: setting(
        size('64 KiB', '4 GiB'),
        '16 MiB',
        'What the revisions of one zone may take. The oldest go first.',
      ),
    },
  ),
  transfer: section('Encoding of transfers.', {
    frameCacheMaxOctets: setting(
      size('1 MiB', '64 GiB'),
      '256 MiB',
      'Memory for the encoded messages of zones that are transferred repeatedly. A million rules take about 43 MiB.',
    ),
  }),
  notify: section('NOTIFY to devices (RFC 1996), repeated until it is acknowledged.', {
    timeoutMs: setting(duration('100ms', '1m'), '3s', 'How long an acknowledgement is waited for.'),
    backoffMaxMs: setting(
      duration('1s', '1d'),
      '60s',
      'The pause after a failed attempt doubles each time, up to this.',
    ),
    inFlightMax: setting(
      integer(1, 4096),
      '64',
      'Messages that wait for their acknowledgements at the same time.',
    ),
    inFlightPerEndpointMax: setting(
      integer(1, 4096),
      '16',
      'Of these, to one address and port: a secondary with thousands of zones is told of a mass update bit by bit.',
    ),
    perSecondMax: setting(integer(1, 1_000_000), '1000', 'Messages in a second, in all.'),
  }),
  convergence: section('When a device counts as behind.', {
    expectedMs: setting(
      duration('1s', '7d'),
      '5m',
      'The time in which a device is expected to hold a new serial. Beyond it the device is reported, with the likely reason.',
    ),
  }),
  process: section('The process itself.', {
    user: setting(
      orNone(text(64)),
      'none',
      'The user to run as, once the ports for DNS are bound: start as root to bind port 53, and name an unprivileged user here. The user must be able to write dataDirectory.',
    ),
    group: setting(
      orNone(text(64)),
      'none',
      'The group to run as; without it the main group of user.',
    ),
    stopDeadlineMs: setting(
      duration('0s', '10m'),
      '5s',
      'How long transfers may go on when the server is asked to stop. Then they are cut.',
    ),
  }),
  lookup: section('Host names of devices, whose addresses are looked up again and again.', {
    servers: listOf(
      section('', { address: required(ipAddress), port: setting(port, '53', 'UDP port.') }),
      {
        itemsMax: 8,
        fallback: [],
        description:
          'Resolvers that are asked, in this order. Without any, those of the system. Best not one that itself needs a zone from here to start.',
      },
    ),
  }),
  feeds: section('Feeds, which keep targets current by themselves.', {
    directory: setting(
      text(1024),
      'feeds',
      'Where feeds that are files or folders are read from, and nowhere else. Relative to dataDirectory.',
    ),
    runningMax: setting(
      integer(1, 16),
      '2',
      'Feeds that are fetched and read at the same time. Further ones wait their turn.',
    ),
    allowPrivateSources: setting(
      flag,
      'false',
      'Whether a feed that says so may be fetched from a private, loopback or reserved address. Without this, whoever may edit feeds cannot have this server ask inside your network.',
    ),
  }),
  http: section('The admin API, its documentation page and the metrics.', {
    listen: section('', {
      address: setting(
        ipAddress,
        '127.0.0.1',
        'Where requests are answered. Any other than a loopback address needs allowRemote.',
      ),
      port: setting(port, '8053', 'TCP port of the admin API.'),
    }),
    allowRemote: setting(
      flag,
      'false',
      'Says that other machines may reach the admin API. Without http.tls it speaks plain HTTP, and tokens and passwords would cross the network in clear: then put a proxy with TLS in front.',
    ),
    trustedProxies: listOf(required(ipNetwork), {
      itemsMax: 100,
      fallback: [],
      description:
        'Addresses and prefixes of proxies in front of the admin API. From them X-Forwarded-For is believed, so that wrong passwords are counted for each client rather than for the proxy. Name none that a client could send from by itself.',
    }),
    tls: section('HTTPS (TLS 1.2 and 1.3) for the admin API, instead of plain HTTP.', {
      certificateFile: setting(
        orNone(text(1024)),
        'none',
        'The certificate of this server in PEM, then those that lead to an authority. Read at the start, relative to the directory that the server is started in. Needs keyFile.',
      ),
      keyFile: setting(
        orNone(text(1024)),
        'none',
        'The private key of the certificate in PEM, readable by the server alone.',
      ),
    }),
    sessions: section('Logins of people, who are then known by a cookie.', {
      lifetimeMs: setting(
        duration('5m', '30d'),
        '12h',
        'How long after the login one has to log in again, in any case.',
      ),
      idleTimeoutMs: setting(
        duration('1m', '30d'),
        '1h',
        'How long without a request one stays logged in. Not above lifetime.',
      ),
      secureCookie: setting(
        flag,
        'false',
        'Have browsers send the cookie over HTTPS only, because a proxy with TLS is in front. With http.tls they do in any case.',
      ),
    }),
    openid: section(
      'Login by OpenID Connect at a provider of your own, besides passwords. Used when issuer is given.',
      {
        issuer: setting(
          orNone(webAddress),
          'none',
          'The provider, as it writes itself in its tokens. Its /.well-known/openid-configuration is read at the first login.',
        ),
        clientId: setting(orNone(text(255)), 'none', 'What this server is called at the provider.'),
        clientSecretFile: setting(
          orNone(text(1024)),
          'none',
          'A file with the secret that the provider gave for it, on one line. None for a public client, which PKCE alone protects.',
        ),
        redirectUri: setting(
          orNone(webAddress),
          'none',
          'Where the provider sends people back to, as it is registered there: the address of this server as browsers know it, with the path /api/v1/session/openid/callback.',
        ),
        scopes: setting(
          text(255),
          'openid email profile',
          'What the provider is asked for. The word openid is one of them.',
        ),
        linkByEmail: setting(
          flag,
          'false',
          'Let who comes with a verified mail address be the user with that name, if that user has come from no provider before. Whoever the provider gives an address to gets in as that user.',
        ),
        roleClaim: setting(
          orNone(text(100)),
          'none',
          'A claim of the ID token that roles come from at each login, such as groups. With none they are kept here.',
        ),
        roles: listOf(
          section('', {
            value: required(text(255)),
            role: required(choice(['admin', 'editor', 'viewer', 'sensor'])),
          }),
          {
            itemsMax: 100,
            fallback: [],
            description: 'Which role a value of roleClaim gives. Of several the strongest counts.',
          },
        ),
        defaultRole: setting(
          orNone(choice(['admin', 'editor', 'viewer', 'sensor'])),
          'none',
          'The role of new users, and with roleClaim of those to whom it gives none; none keeps them out.',
        ),
        createUsers: setting(
          flag,
          'false',
          'Make a user for everybody whom the provider lets in and who has none.',
        ),
        account: setting(
          shortLabel('an account label'),
          'main',
          'The label of the account that new users belong to.',
        ),
      },
    ),
    bodyMaxOctets: setting(
      size('64 KiB', '1 GiB'),
      '64 MiB',
      'The largest request. A list of a million names takes about 25 MiB.',
    ),
  }),
  log: section('The log, on standard error.', {
    level: setting(
      choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
      'info',
      'The least severe records that are written.',
    ),
    format: setting(
      choice(['json', 'text']),
      'json',
      'json: one JSON object to a line, for programs. text: one short line, for people.',
    ),
    queries: setting(
      flag,
      'false',
      'Write a record for every query. Level, queries and transfers can be changed while the server runs, by the admin API.',
    ),
    transfers: setting(flag, 'true', 'Write a record for every transfer.'),
  }),
});

/**
 * The configuration as the rest of the program sees it: complete, checked and frozen. Units are in
 * the names. `soa.ns` and `soa.hostmaster` are absolute with their final dot; `root` has none.
 */
export type Config = ValueOf<typeof SETTINGS>;
