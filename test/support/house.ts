import { randomBytes } from 'node:crypto';
import { getPublicSuffix } from 'tldts';
import {
  formatName,
  type Message,
  parseName,
  type RRTYPE,
  type TsigKey,
} from '../../src/dns/index.ts';
import {
  createNameserver,
  type NameserverOptions,
} from '../../src/nameserver/create-nameserver.ts';
import type { Directory, Observer } from '../../src/nameserver/directory-port.ts';
import {
  type Answer,
  type Peer,
  TRANSFER_PIECE_OCTETS,
} from '../../src/nameserver/handler-port.ts';
import type { AccountId } from '../../src/policy/model.ts';
import { createPublisher, type RunningPublisher } from '../../src/publish/create-publisher.ts';
import { createDirectory } from '../../src/publish/directory.ts';
import {
  createAccount,
  type Edit,
  type EditSettings,
  memberKinds,
} from '../../src/publish/edits/index.ts';
import type { Published } from '../../src/publish/publisher.ts';
import type { PublishedState } from '../../src/publish/state.ts';
import type { Store } from '../../src/publish/store-port.ts';
import type { JournalLimits } from '../../src/publish/zone-build.ts';
import type { ZoneDefaults } from '../../src/publish/zone-names.ts';
import type { ZoneSnapshot } from '../../src/zone/snapshot.ts';
import { makeQuery, type Query, type QueryOptions } from './dns-query.ts';
import { memoryStore } from './memory-store.ts';
import { assembleTransfer, readAnswer, type Transfer } from './transfer.ts';

export const ROOT = 'sluice.internal.';
export const ACCOUNT_LABEL = 'acme';
/** Where queries come from unless a test says otherwise. */
export const CLIENT_ADDRESS = '192.0.2.10';

export interface HouseOptions {
  /** A new one in memory when absent. */
  readonly store?: Store;
  readonly time?: { now: number };
  readonly limits?: Partial<JournalLimits>;
  readonly defaults?: Partial<ZoneDefaults>;
  readonly nameserver?: Partial<NameserverOptions>;
}

export type HouseEvent =
  | ({ readonly kind: 'polled' } & Parameters<Observer['polled']>[0])
  | ({ readonly kind: 'transferred'; readonly transfer: 'AXFR' | 'IXFR' } & Omit<
      Parameters<Observer['transferred']>[0],
      'kind'
    >);

export type HouseRefusal = Parameters<Observer['refused']>[0];

export interface AskOptions extends QueryOptions {
  readonly from?: string;
  readonly protocol?: Peer['protocol'];
}

/** A nameserver and the ways to ask it. */
export interface Desk {
  /** What the nameserver told about devices, in order. */
  readonly events: HouseEvent[];
  /** What it told about questions that were refused. */
  readonly refusals: HouseRefusal[];
  /** One question, one message back, over UDP unless told otherwise. Throws when there is none. */
  ask(name: string, type: keyof typeof RRTYPE | number, options?: AskOptions): Message;
  /** Raw octets in, what the nameserver makes of them out. */
  handle(octets: Uint8Array, peer?: Partial<Peer>): Answer;
  /** AXFR, or IXFR with `have`, over TCP. */
  transfer(zone: string, options?: AskOptions): Transfer;
}

/** Publisher and nameserver in this process, without sockets: what goes in and out are octets. */
export interface House extends Desk {
  readonly publisher: RunningPublisher;
  readonly store: Store;
  readonly settings: EditSettings;
  readonly accountId: AccountId;
  /** The clock of everything in it, in Unix milliseconds: tests may move it. */
  readonly time: { now: number };
  /** Publishes one edit, made as the server itself. */
  edit<Value>(change: (edit: Edit) => Value): Promise<Published<Value>>;
  zone(origin: string): ZoneSnapshot;
  /** A second nameserver over the same zones. */
  openDesk(options: Partial<NameserverOptions>): Desk;
  /** A second house over the same store: what a restart makes of it. */
  restart(options?: Partial<HouseOptions>): Promise<House>;
}

const DEFAULTS: ZoneDefaults = {
  root: 'sluice.internal',
  refresh: 900,
  retry: 300,
  expire: 1_209_600,
  minimum: 60,
  apexTtl: 60,
};

/** A house with one account and nothing else in it. */
export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const store = options.store ?? memoryStore();
  const time = options.time ?? { now: Date.UTC(2030, 0, 31, 12) };
  const defaults = { ...DEFAULTS, ...options.defaults };
  const publisher = await createPublisher({
    store,
    defaults,
    limits: { revisionsMax: 100, octetsMax: 1_000_000, ...options.limits },
    clock: () => time.now,
  });
  const settings = editSettings(publisher);
  const accountId = await firstAccount(publisher, settings);
  const directory = directoryOf(publisher, defaults);
  const openDesk: House['openDesk'] = (more) =>
    createDesk({ directory, time, more: { ...options.nameserver, ...more } });
  return {
    ...openDesk({}),
    publisher,
    store,
    settings,
    accountId,
    time,
    openDesk,
    edit: (change) =>
      publisher.change({ actor: 'test', action: 'edit' }, (draft) =>
        change({ draft, settings, accountId, system: true }),
      ),
    zone(origin) {
      const zone = publisher.state.zones.get(origin);
      if (zone === undefined) throw new Error(`there is no zone ${origin}`);
      return zone;
    },
    restart: (more = {}) => openHouse({ ...options, store, time, ...more }),
  };
}

function createDesk(given: {
  readonly directory: () => Directory;
  readonly time: { readonly now: number };
  readonly more: Partial<NameserverOptions>;
}): Desk {
  const { directory, time, more } = given;
  const events: HouseEvent[] = [];
  const refusals: HouseRefusal[] = [];
  const handler = createNameserver({
    directory,
    observer: {
      polled: (event) => events.push({ kind: 'polled', ...event }),
      transferred: ({ kind, ...event }) =>
        events.push({ kind: 'transferred', transfer: kind, ...event }),
      refused: (event) => refusals.push(event),
      answered: () => {},
    },
    clock: () => time.now,
    tsigAlgorithms: ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'],
    udpOctetsMax: 1232,
    frameCacheOctets: 16 * 1024 * 1024,
    ...more,
  });
  const nowSeconds = () => Math.floor(time.now / 1000);
  const handle: Desk['handle'] = (octets, peer = {}) =>
    handler(octets, { protocol: 'udp', address: CLIENT_ADDRESS, port: 5353, ...peer });
  const send = (query: Query, protocol: Peer['protocol'], from = CLIENT_ADDRESS) =>
    handle(query.bytes, { protocol, address: from });

  return {
    events,
    refusals,
    handle,
    ask(name, type, { from, protocol = 'udp', ...more } = {}) {
      const query = makeQuery(name, type, { nowSeconds: nowSeconds(), ...more });
      const answer = send(query, protocol, from);
      if (answer.kind !== 'message')
        throw new Error(`${name}: the answer is of kind ${answer.kind}`);
      return readAnswer(answer.bytes);
    },
    transfer(zone, { from, protocol = 'tcp', ...more } = {}) {
      const type = more.have === undefined ? 'AXFR' : 'IXFR';
      const query = makeQuery(zone, type, { nowSeconds: nowSeconds(), ...more });
      return assembleTransfer(query, collectMessages(send(query, protocol, from)), nowSeconds());
    },
  };
}

/** All messages of an answer, without their lengths. Takes a stream to its end and says so to it. */
export function collectMessages(answer: Answer): Uint8Array[] {
  if (answer.kind === 'none') return [];
  if (answer.kind === 'message') return [answer.bytes.slice()];
  const buffer = new Uint8Array(TRANSFER_PIECE_OCTETS);
  const messages: Uint8Array[] = [];
  let total = 0;
  for (let filled = answer.fill(buffer); filled > 0; filled = answer.fill(buffer)) {
    total += filled;
    for (let at = 0; at < filled; ) {
      const end = at + 2 + ((buffer[at] << 8) | buffer[at + 1]);
      messages.push(buffer.slice(at + 2, end));
      at = end;
    }
  }
  answer.ended({ completed: true, octets: total, durationMs: 1 });
  return messages;
}

/** The key as a client has it. */
export function tsigKeyOf(
  house: Pick<House, 'publisher'>,
  keyId: number,
): TsigKey & { readonly text: string } {
  const key = [...house.publisher.model.keys.values()].find(({ id }) => id === keyId);
  if (key === undefined) throw new Error(`there is no key ${keyId}`);
  const name = parseName(key.name);
  return { name, text: formatName(name), algorithm: key.algorithm, secret: key.secret };
}

async function firstAccount(
  publisher: RunningPublisher,
  settings: EditSettings,
): Promise<AccountId> {
  const known = publisher.model.accounts.keys().next().value;
  if (known !== undefined) return known;
  const { value } = await publisher.change({ actor: 'test', action: 'begin' }, (draft) =>
    createAccount({ draft, settings, system: true }, { label: ACCOUNT_LABEL, name: 'Acme' }),
  );
  return value.id;
}

function editSettings(publisher: RunningPublisher): EditSettings {
  return {
    root: ROOT,
    ownerOctetsMax: 159,
    isPublicSuffix: (name) => getPublicSuffix(name) === name,
    memberKinds: (members) => memberKinds(publisher.catalogue, members),
    zones: () => publisher.state.zones,
    keyAlgorithms: ['hmac-sha256', 'hmac-sha384', 'hmac-sha512', 'hmac-sha1', 'hmac-md5'],
    randomBytes: (octets) => Uint8Array.from(randomBytes(octets)),
  };
}

/** As the server does: one directory for each state that is published. */
function directoryOf(publisher: RunningPublisher, defaults: ZoneDefaults): () => Directory {
  let known: { readonly state: PublishedState; readonly directory: Directory } | undefined;
  return () => {
    const { state, catalogue } = publisher;
    if (known?.state !== state) {
      known = { state, directory: createDirectory(state, catalogue, defaults) };
    }
    return known.directory;
  };
}
