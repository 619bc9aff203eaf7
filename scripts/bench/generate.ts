/** The rules of the benchmark: always the same for the same number. */
export interface Rules {
  /** Names with their subtrees, and addresses: NXDOMAIN. */
  readonly blocked: readonly string[];
  /** Names that pass. */
  readonly allowed: readonly string[];
  /** Names with local data. */
  readonly local: readonly string[];
}

export const LOCAL_ADDRESS = '192.0.2.80';

const TLDS = ['com', 'net', 'org', 'info', 'xyz', 'top', 'online', 'site'];
const HOSTS = ['www', 'mail', 'cdn', 'login', 'api', 'static'];

/** 90 % names, 5 % addresses, 2.5 % names that pass, 2.5 % with local data; a third of the names are hosts below a domain. */
export function generateRules(count: number): Rules {
  const random = seeded(count);
  const blocked: string[] = [];
  const allowed: string[] = [];
  const local: string[] = [];
  for (let index = 0; index < count; index++) {
    const share = random();
    if (share < 0.05) blocked.push(addressOf(index));
    else if (share < 0.95) blocked.push(nameOf(index, random));
    else if (share < 0.975) allowed.push(nameOf(index, random));
    else local.push(nameOf(index, random));
  }
  return { blocked, allowed, local };
}

/** Names that are in no set of rules: `round` makes them new each time. */
export function freshNames(count: number, round: number): string[] {
  return Array.from({ length: count }, (_, index) => `fresh${round}-${index}.bench-added.example`);
}

/** The same rules as a zone file for other servers, for a zone of any name. */
export function* zoneFile(rules: Rules, serial: number): Generator<string> {
  yield '$TTL 60\n';
  yield `@ SOA ns.bench.example. hostmaster.bench.example. ${serial} 900 300 1209600 60\n@ NS localhost.\n`;
  for (const rule of rules.blocked) yield recordsOf(rule, 'CNAME .');
  for (const rule of rules.allowed) yield recordsOf(rule, 'CNAME rpz-passthru.');
  for (const rule of rules.local) yield recordsOf(rule, `A ${LOCAL_ADDRESS}`);
}

function recordsOf(rule: string, rdata: string): string {
  if (/^[0-9.]+$/.test(rule)) return `32.${rule.split('.').reverse().join('.')}.rpz-ip ${rdata}\n`;
  return `${rule} ${rdata}\n*.${rule} ${rdata}\n`;
}

/** Addresses spread over 16 million, each once. */
function addressOf(index: number): string {
  const spread = (index * 2_654_435_761) % 2 ** 24;
  return `${20 + (index % 7)}.${spread >>> 16}.${(spread >>> 8) & 255}.${spread & 255}`;
}

function nameOf(index: number, random: () => number): string {
  const word = `${Math.floor(random() * 1e9).toString(36)}${index.toString(36)}`;
  const domain = `${word}.${TLDS[Math.floor(random() * TLDS.length)]}`;
  return random() < 1 / 3 ? `${HOSTS[Math.floor(random() * HOSTS.length)]}.${domain}` : domain;
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
