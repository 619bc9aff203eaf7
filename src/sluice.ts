import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { getPublicSuffix } from 'tldts';
import {
  type Config,
  loadBuiltInTargets,
  loadClientSecret,
  loadFeedPresets,
  loadNeverBlock,
  loadSampleCatalogue,
  loadTlsIdentity,
} from './config/index.ts';
import { formatName, parseName } from './dns/name.ts';
import { rcodeName } from './dns/registry.ts';
import type { TsigAlgorithm, TsigKey } from './dns/tsig.ts';
import {
  type FeedRunner,
  hearNotifies,
  openFeeds,
  ownGuard,
  startFeedWorker,
} from './feeds/index.ts';
import { beginModel, isBegun } from './first-run.ts';
import { type ApiOptions, buildApi, DEFAULT_API_LIMITS, type MetricFamily } from './http/index.ts';
import { createHostLookup, type HostBook, openHostBook } from './lookup/index.ts';
import { createNameserver, type Directory } from './nameserver/index.ts';
import { type Notifier, startNotifier } from './notify/index.ts';
import type { DeviceId } from './policy/index.ts';
import { type EditSettings, memberKinds } from './publish/edits/index.ts';
import {
  createDirectory,
  createPublisher,
  type ExpiryClock,
  hostNamesInUse,
  openDeviceStatusBook,
  type PublishedState,
  type RunningPublisher,
  releaseMemory,
  type SafetySettings,
  startExpiryClock,
  type ZoneDefaults,
} from './publish/index.ts';
import { type DnsServer, startDnsServer } from './server/index.ts';
import { openStore } from './store/index.ts';
import { soaRrset } from './zone/index.ts';

/** A running server. */
export interface Sluice {
  readonly publisher: RunningPublisher;
  /** Printed once; null when the database was there already. */
  readonly adminToken: string | null;
  dnsAddresses(): readonly { readonly address: string; readonly port: number }[];
  httpAddress(): { readonly address: string; readonly port: number };
  /** Stops listening, finishes or cuts what runs, and closes the store, in this order. */
  stop(): Promise<void>;
}

export interface SluiceOptions {
  readonly config: Config;
  /** The folder `zones/` with the built-in and the sample targets. */
  readonly zonesDirectory: string;
  readonly version: string;
  readonly log: Logger;
  /** Unix milliseconds. */
  readonly clock?: () => number;
}

/**
 * An origin is at most `block.` + device and `dev` or policy label + account label + root, whatever
 * the configured root is; what is left of 255 octets is for owners (interop rule 3).
 */
const ORIGIN_OCTETS_MAX = 96;
const NAME_OCTETS_MAX = 255;
const OWNER_OCTETS_MAX = NAME_OCTETS_MAX - ORIGIN_OCTETS_MAX;

/** How long the addresses of a host name are waited for. */
const LOOKUP_TIMEOUT_MS = 5_000;
const STATUS_FLUSH_MS = 2_000;
const STOP_DEADLINE_MS = 5_000;

/** Starts everything in order: the store, what is published, the DNS server, NOTIFY, the admin API. */
export async function startSluice(options: SluiceOptions): Promise<Sluice> {
  const { config, log, version, zonesDirectory } = options;
  const clock = options.clock ?? Date.now;
  const defaults = zoneDefaults(config);
  const accessOptions = httpAccess(config);
  const feedPresets = loadFeedPresets(zonesDirectory);
  const directory = resolve(config.dataDirectory);
  const store = await openStore({
    path: join(directory, 'sluice.sqlite'),
    keyFile: join(directory, 'secret.key'),
  });

  let notifier: Notifier | undefined;
  let expiry: ExpiryClock | undefined;
  let hosts: HostBook | undefined;
  let feeds: FeedRunner | undefined;
  const publisher = await createPublisher({
    store,
    defaults,
    clock,
    limits: {
      revisionsMax: config.journal.revisionsMax,
      octetsMax: config.journal.zoneMaxOctets,
    },
    onListenerError: (error) => log.error({ err: error }, 'a publication was not told to all'),
    onPublished: ({ zones }) => {
      for (const { origin, fromSerial, toSerial } of zones) {
        log.info({ zone: origin, fromSerial, toSerial }, 'published');
      }
      statusBook.forgetEnded();
      hosts?.use(hostNamesInUse(publisher.model));
      notifier?.wake();
      expiry?.reschedule();
      feeds?.reschedule();
    },
  });
  releaseMemory();
  const statusBook = await openDeviceStatusBook(store, clock, {
    hasDevice: (id) => publisher.model.devices.has(id as DeviceId),
    hasZone: (origin) => publisher.state.zones.has(origin),
  });
  const settings = editSettings(config, publisher);
  const safety = safetySettings(config, zonesDirectory);
  feeds = await openFeeds({
    publisher,
    store,
    clock,
    worker: startFeedWorker({
      directory: resolve(directory, config.feeds.directory),
      jobsMax: config.feeds.runningMax,
    }),
    guard: feedGuard(config, safety),
    ownerOctetsMax: OWNER_OCTETS_MAX,
    allowPrivateSources: config.feeds.allowPrivateSources,
    runningMax: config.feeds.runningMax,
    version,
    random: Math.random,
    log: log.child({ room: 'feeds' }),
  });

  hosts = openHosts(options);
  hosts.use(hostNamesInUse(publisher.model));
  const { addressesOf } = hosts;

  const rcodes = new Map<string, number>();
  const upstreams = hearNotifies({
    feeds: () => publisher.model.feeds,
    run: (feedId, actor) => feeds?.run(feedId, actor),
  });
  const nameserver = createNameserver({
    directory: directoryOf(publisher, defaults, hosts),
    clock,
    tsigAlgorithms: allowedAlgorithms(config),
    udpOctetsMax: config.dns.udpPayloadMaxOctets,
    frameCacheOctets: config.transfer.frameCacheMaxOctets,
    upstreams: () => upstreams,
    observer: {
      polled: statusBook.polled,
      transferred(event) {
        const { zone, deviceId, kind, address, octets, durationMs, completed } = event;
        const origin = formatName(zone.settings.origin);
        log.info(
          {
            zone: origin,
            deviceId,
            serial: zone.serial,
            kind,
            address,
            octets,
            durationMs,
            completed,
          },
          'transferred',
        );
        statusBook.transferred(event);
      },
      answered(rcode, protocol) {
        const key = `${protocol} ${rcodeName(rcode)}`;
        rcodes.set(key, (rcodes.get(key) ?? 0) + 1);
      },
    },
  });
  const dns = await startDnsServer(dnsOptions(config), nameserver, log);

  notifier = startNotifier({
    store,
    findKey: (deviceId) => keyOfDevice(publisher, deviceId),
    addressesOf,
    soaRdata: (origin) => servedSoa(publisher, origin),
    isFollowed: statusBook.isFollowed,
    onAcknowledged: statusBook.acknowledged,
    log,
    answerTimeoutMs: config.notify.timeoutMs,
    retryMsMax: config.notify.backoffMaxMs,
    inFlightMax: config.notify.inFlightMax,
    ...notifySources(config),
    now: clock,
  });
  notifier.wake();
  const reportFlush = (error: unknown) =>
    log.error({ err: error }, 'the device status could not be stored');
  const flusher = setInterval(() => void statusBook.flush().catch(reportFlush), STATUS_FLUSH_MS);
  expiry = startExpiryClock({
    publisher,
    settings,
    clock,
    onError: (error) => log.error({ err: error }, 'what has expired could not be removed'),
  });

  let isServing = false;
  const api = buildApi({
    publisher,
    edits: settings,
    safety,
    feeds,
    version,
    limits: { ...DEFAULT_API_LIMITS, textBodyMax: config.http.bodyMaxOctets },
    log: log.child({ room: 'http' }, { level: 'warn' }),
    ...accessOptions,
    clock,
    monotonicMs: () => performance.now(),
    deviceStatus: async () => statusBook.list(),
    describeHost: hosts.describe,
    feedPresets,
    isServing: () => isServing,
    collectMetrics: () => [
      ...collectMetrics({
        dns,
        notifier: notifier!,
        rcodes,
        frameOctets: nameserver.frameOctets(),
      }),
      ...feeds!.metrics(),
    ],
  });
  await api.listen({ host: config.http.listen.address, port: config.http.listen.port });
  // Last, when nothing can fail any more: the token is told once, so it must not be made and then lost.
  const adminToken = isBegun(publisher.model)
    ? null
    : await begin({ publisher, settings, config, zonesDirectory });
  isServing = true;
  feeds.start();

  return {
    publisher,
    adminToken,
    dnsAddresses: () => dns.addresses(),
    httpAddress: () => {
      const bound = api.server.address();
      const port =
        typeof bound === 'object' && bound !== null ? bound.port : config.http.listen.port;
      return { address: config.http.listen.address, port };
    },
    async stop() {
      isServing = false;
      expiry.stop();
      hosts.stop();
      clearInterval(flusher);
      await api.close();
      await feeds.stop();
      await publisher.idle();
      await notifier.stop();
      await dns.stop({ deadlineMs: STOP_DEADLINE_MS });
      await statusBook.flush();
      await store.close();
    },
  };
}

async function begin(options: {
  readonly publisher: RunningPublisher;
  readonly settings: EditSettings;
  readonly config: Config;
  readonly zonesDirectory: string;
}): Promise<string> {
  const { publisher, settings, config, zonesDirectory } = options;
  const builtIn = loadBuiltInTargets(zonesDirectory);
  const samples = config.sampleCatalogue ? loadSampleCatalogue(zonesDirectory) : null;
  const { value } = await publisher.change({ actor: 'sluice', action: 'first start' }, (draft) =>
    beginModel({
      draft,
      settings,
      accountLabel: config.account,
      builtIn,
      samples,
      policyTtl: config.policies.ttlSeconds,
    }),
  );
  return value.adminToken;
}

/** Files that the settings name are read here, before anything is started that a wrong one would stop. */
function httpAccess(
  config: Config,
): Pick<ApiOptions, 'sessions' | 'openId' | 'tls' | 'trustedProxies'> {
  const { sessions, openid, trustedProxies } = config.http;
  const { issuer, clientId, redirectUri } = openid;
  const tls = loadTlsIdentity(config);
  const isOpenIdGiven = issuer !== null && clientId !== null && redirectUri !== null;
  const clientSecret = loadClientSecret(config);
  return {
    sessions,
    trustedProxies,
    ...(tls === null ? {} : { tls }),
    ...(isOpenIdGiven
      ? { openId: { ...openid, issuer, clientId, redirectUri, clientSecret } }
      : {}),
  };
}

function zoneDefaults({ root, soa }: Config): ZoneDefaults {
  return {
    root,
    primary: soa.ns,
    hostmaster: soa.hostmaster,
    refresh: soa.refreshSeconds,
    retry: soa.retrySeconds,
    expire: soa.expireSeconds,
    minimum: soa.minimumSeconds,
    apexTtl: soa.minimumSeconds,
  };
}

function editSettings(config: Config, publisher: RunningPublisher): EditSettings {
  return {
    root: `${config.root.toLowerCase().replace(/\.$/, '')}.`,
    ownerOctetsMax: OWNER_OCTETS_MAX,
    isPublicSuffix: (name) => getPublicSuffix(name, { allowPrivateDomains: true }) === name,
    memberKinds: (members) => memberKinds(publisher.catalogue, members),
    zones: () => publisher.state.zones,
    keyAlgorithms: allowedAlgorithms(config),
    randomBytes: (octets) => Uint8Array.from(randomBytes(octets)),
    policyTtl: config.policies.ttlSeconds,
    renameGraceMs: config.policies.renameGraceMs,
  };
}

/** What a change is measured against. In the settings 0 stands for never. */
function safetySettings({ changes }: Config, zonesDirectory: string): SafetySettings {
  const { names, prefixes } = loadNeverBlock(zonesDirectory);
  const share = (percent: number): number | null => (percent === 0 ? null : percent / 100);
  return {
    neverBlockNames: names,
    neverBlockPrefixes: prefixes,
    isPublicSuffix: (name) => getPublicSuffix(name, SUFFIX_OPTIONS) === name,
    ownPrefixes: changes.ownNetworks,
    recordsMin: changes.recordsMin,
    warnShrinkShare: changes.warnShrinkPercent / 100,
    warnGrowShare: changes.warnGrowPercent / 100,
    holdShrinkShare: share(changes.holdShrinkPercent),
    holdGrowShare: share(changes.holdGrowPercent),
    holdNeverBlock: changes.holdNeverBlock,
  };
}

/** What no feed may have blocked: the list for everybody, and what this server is known by. */
function feedGuard(
  { root, soa, dns, changes }: Config,
  { neverBlockNames, neverBlockPrefixes }: SafetySettings,
): ReturnType<typeof ownGuard> {
  return ownGuard({
    everybody: { names: neverBlockNames, prefixes: neverBlockPrefixes },
    ownNames: [soa.ns, root],
    listen: dns.listen.map(({ address }) => address),
    interfaces: networkInterfaces(),
    ownNetworks: changes.ownNetworks,
  });
}

/**
 * Suffixes of registries only: many private ones are single hosts, such as those of
 * *.compute-1.amazonaws.com; the shared ones are named in zones/never-block.txt. Owners are names
 * already, and to look for a URL in each would treble the time.
 */
const SUFFIX_OPTIONS = {
  allowPrivateDomains: false,
  extractHostname: false,
  validateHostname: false,
};

/**
 * A secondary takes a NOTIFY from an address that it knows as its primary and from no other (RFC 1996
 * section 3.10): so it comes from where we answer, if that is one address that others can reach.
 */
function notifySources({ dns }: Config): { sourceIpv4?: string; sourceIpv6?: string } {
  const addresses = dns.listen.map(({ address }) => address);
  const only = (of: readonly string[]): string | undefined =>
    of.length === 1 && !['0.0.0.0', '::', '::1'].includes(of[0]) && !of[0].startsWith('127.')
      ? of[0]
      : undefined;
  const sourceIpv4 = only(addresses.filter((address) => !address.includes(':')));
  const sourceIpv6 = only(addresses.filter((address) => address.includes(':')));
  return {
    ...(sourceIpv4 === undefined ? {} : { sourceIpv4 }),
    ...(sourceIpv6 === undefined ? {} : { sourceIpv6 }),
  };
}

function allowedAlgorithms({ tsig }: Config): TsigAlgorithm[] {
  return [
    'hmac-sha256',
    'hmac-sha384',
    'hmac-sha512',
    ...(tsig.allowSha1 ? (['hmac-sha1'] as const) : []),
    ...(tsig.allowMd5 ? (['hmac-md5'] as const) : []),
  ];
}

function dnsOptions({ dns }: Config): Parameters<typeof startDnsServer>[0] {
  return {
    listen: dns.listen,
    tcpConnectionsMax: dns.tcp.connectionsMax,
    tcpConnectionsPerClientMax: dns.tcp.connectionsPerClientMax,
    tcpPendingQueriesMax: dns.tcp.queriesPendingMax,
    tcpIdleMs: dns.tcp.idleTimeoutMs,
    tcpStallMs: dns.transfers.stallTimeoutMs,
    transfersMax: dns.transfers.runningMax,
    transfersPerClientMax: dns.transfers.runningPerClientMax,
  };
}

/** The book of the addresses that host names of devices have. */
function openHosts({ config, log, clock = Date.now }: SluiceOptions): HostBook {
  return openHostBook({
    lookup: createHostLookup({ servers: config.lookup.servers, timeoutMs: LOOKUP_TIMEOUT_MS }),
    onChange: (host, addresses) => log.info({ host, addresses }, 'a host name has other addresses'),
    clock,
    random: Math.random,
  });
}

/** The directory of the state that is published now, made once per state and set of host addresses. */
function directoryOf(
  publisher: RunningPublisher,
  defaults: ZoneDefaults,
  hosts: HostBook,
): () => Directory {
  let state: PublishedState | undefined;
  let version = 0;
  let directory: Directory | undefined;
  return () => {
    if (directory === undefined || state !== publisher.state || version !== hosts.version) {
      state = publisher.state;
      version = hosts.version;
      directory = createDirectory(state, publisher.catalogue, defaults, hosts);
    }
    return directory;
  };
}

/** The newest key of a device: the one that it was given last. */
function keyOfDevice(publisher: RunningPublisher, deviceId: number): TsigKey | undefined {
  const keys = [...publisher.model.keys.values()].filter((key) => key.deviceId === deviceId);
  const newest = keys.sort((a, b) => b.createdAt - a.createdAt || b.id - a.id)[0];
  if (newest === undefined) return undefined;
  return { name: parseName(newest.name), algorithm: newest.algorithm, secret: newest.secret };
}

function servedSoa(publisher: RunningPublisher, origin: string) {
  const zone = publisher.state.zones.get(origin);
  if (zone === undefined) return null;
  const { ttl, rdatas } = soaRrset(zone.settings, zone.serial);
  return { serial: zone.serial, ttl, rdata: rdatas[0]! };
}

function collectMetrics(options: {
  readonly dns: DnsServer;
  readonly notifier: Notifier;
  readonly rcodes: ReadonlyMap<string, number>;
  readonly frameOctets: number;
}): MetricFamily[] {
  const { dns, notifier, rcodes, frameOctets } = options;
  const statistics = (prefix: string, help: string, values: object): MetricFamily => ({
    name: prefix,
    help,
    type: 'gauge',
    labelNames: ['what'],
    samples: Object.entries(values).map(([what, value]) => ({ labels: { what }, value })),
  });
  return [
    {
      name: 'sluice_dns_answers_total',
      help: 'Answers by transport and RCODE.',
      type: 'counter',
      labelNames: ['protocol', 'rcode'],
      samples: [...rcodes].map(([key, value]) => {
        const [protocol = '', rcode = ''] = key.split(' ');
        return { labels: { protocol, rcode }, value };
      }),
    },
    statistics(
      'sluice_dns_server',
      'Sockets, connections and transfers since the start.',
      dns.statistics(),
    ),
    statistics('sluice_notify', 'NOTIFY messages since the start.', notifier.statistics()),
    {
      name: 'sluice_transfer_frame_octets',
      help: 'Memory that encoded transfers take.',
      type: 'gauge',
      labelNames: [],
      samples: [{ labels: {}, value: frameOctets }],
    },
  ];
}
