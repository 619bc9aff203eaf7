import type { FamilyAnswer, HostLookup } from './host-lookup.ts';

/** Names that are looked up at most; those that come later wait for room. */
const NAMES_MAX = 10_000;
/** Lookups under way at once. */
const AT_ONCE_MAX = 16;
/** A short TTL must not become a flood, a long one not a device that is shut out for a day. */
const TTL_MS_MIN = 30_000;
const TTL_MS_MAX = 3_600_000;
/** After a failure, and after an answer that there is nothing. */
const RETRY_MS = 30_000;
/** What chance may add, so that names that came together do not stay together. */
const JITTER = 0.1;

/** What is known of a name. Times in Unix milliseconds. */
export interface HostStatus {
  readonly addresses: readonly string[];
  /** When the addresses were learnt; null while no answer came. */
  readonly resolvedAt: number | null;
  /** When it was last asked for; null before the first time. */
  readonly askedAt: number | null;
  /** Why the last lookup brought nothing; null when it did. */
  readonly lastError: string | null;
}

/** The addresses of all host names that are in use. */
export interface HostBook {
  /** Those of the last good answer, IPv4 first; none while nothing is known. The name has its final dot. */
  addressesOf(name: string): readonly string[];
  /** Rises whenever the addresses of some name change. */
  readonly version: number;
  describe(name: string): HostStatus;
  /** The names in use from now on: new ones are looked up at once, others forgotten. */
  use(names: Iterable<string>): void;
  /** Asks for these again at once, if they are in use. */
  refresh(names: Iterable<string>): void;
  stop(): void;
}

export interface HostBookOptions {
  readonly lookup: HostLookup;
  /** Called after the addresses of some name changed. */
  readonly onChange: (name: string, addresses: readonly string[]) => void;
  /** Unix milliseconds. */
  readonly clock: () => number;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  /** How soon a name is asked for again; for tests. */
  readonly limits?: { readonly ttlMsMin: number; readonly retryMs: number };
}

interface Entry {
  readonly name: string;
  v4: readonly string[];
  v6: readonly string[];
  resolvedAt: number | null;
  askedAt: number | null;
  lastError: string | null;
  /** performance.now() */
  dueAt: number;
  isRunning: boolean;
}

const UNKNOWN: HostStatus = { addresses: [], resolvedAt: null, askedAt: null, lastError: null };

/** A book with no names in it yet. */
export function openHostBook(options: HostBookOptions): HostBook {
  const { lookup, onChange, clock, random } = options;
  const { ttlMsMin, retryMs } = options.limits ?? { ttlMsMin: TTL_MS_MIN, retryMs: RETRY_MS };
  const entries = new Map<string, Entry>();
  let version = 0;
  let running = 0;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const askDue = (): void => {
    clearTimeout(timer);
    if (isStopped) return;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const entry of entries.values()) {
      if (entry.isRunning) continue;
      if (entry.dueAt <= now && running < AT_ONCE_MAX) void ask(entry);
      else next = Math.min(next, entry.dueAt);
    }
    // While all places are taken, the lookup that ends first calls again.
    if (running >= AT_ONCE_MAX || next === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(askDue, Math.max(1, next - now));
    timer.unref();
  };
  const ask = async (entry: Entry): Promise<void> => {
    entry.isRunning = true;
    running += 1;
    const { v4, v6 } = await lookup.lookUp(entry.name);
    running -= 1;
    entry.isRunning = false;
    // The name may have gone out of use meanwhile.
    if (!isStopped && entries.get(entry.name) === entry) {
      const pauseMs = takeIn(entry, v4, v6);
      entry.dueAt = performance.now() + pauseMs * (1 + JITTER * random());
    }
    askDue();
  };
  /** Writes down what came and returns when to ask again, in milliseconds. */
  const takeIn = (entry: Entry, v4: FamilyAnswer, v6: FamilyAnswer): number => {
    const before = addressesIn(entry);
    entry.askedAt = clock();
    entry.lastError = errorOf(v4, v6);
    if (v4.kind === 'answer') entry.v4 = v4.addresses;
    if (v6.kind === 'answer') entry.v6 = v6.addresses;
    if (v4.kind === 'answer' && v6.kind === 'answer') entry.resolvedAt = entry.askedAt;
    const after = addressesIn(entry);
    if (after.join() !== before.join()) {
      version += 1;
      onChange(entry.name, after);
    }
    return entry.lastError === null ? boundedTtlMs([v4, v6], ttlMsMin) : retryMs;
  };

  return {
    addressesOf(name) {
      const entry = entries.get(name);
      return entry === undefined ? [] : addressesIn(entry);
    },
    get version() {
      return version;
    },
    describe(name) {
      const entry = entries.get(name);
      if (entry === undefined) return UNKNOWN;
      const { resolvedAt, askedAt, lastError } = entry;
      return { addresses: addressesIn(entry), resolvedAt, askedAt, lastError };
    },
    use(names) {
      const wanted = new Set(names);
      for (const name of entries.keys()) if (!wanted.has(name)) entries.delete(name);
      for (const name of wanted) {
        if (entries.size >= NAMES_MAX) break;
        if (!entries.has(name)) entries.set(name, newEntry(name));
      }
      askDue();
    },
    refresh(names) {
      const now = performance.now();
      for (const name of names) {
        const entry = entries.get(name);
        if (entry !== undefined) entry.dueAt = now;
      }
      askDue();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
      lookup.cancel();
    },
  };
}

function newEntry(name: string): Entry {
  return {
    name,
    v4: [],
    v6: [],
    resolvedAt: null,
    askedAt: null,
    lastError: null,
    dueAt: performance.now(),
    isRunning: false,
  };
}

function addressesIn({ v4, v6 }: Pick<Entry, 'v4' | 'v6'>): readonly string[] {
  return [...v4, ...v6];
}

/** A failure of one family counts, even when the other was answered: half of the addresses may be old. */
function errorOf(v4: FamilyAnswer, v6: FamilyAnswer): string | null {
  if (v4.kind === 'failure') return v4.reason;
  if (v6.kind === 'failure') return v6.reason;
  if (v4.addresses.length + v6.addresses.length > 0) return null;
  if (v4.refused + v6.refused > 0) return 'none of its addresses is that of a single host';
  return v4.nameExists || v6.nameExists ? 'the name has no address' : 'the name does not exist';
}

function boundedTtlMs(answers: readonly FamilyAnswer[], ttlMsMin: number): number {
  const seconds = answers.flatMap((answer) =>
    answer.kind === 'answer' && answer.addresses.length > 0 ? [answer.ttl] : [],
  );
  return Math.min(TTL_MS_MAX, Math.max(ttlMsMin, Math.min(...seconds) * 1000));
}
