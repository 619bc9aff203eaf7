/** IP addresses between text and network-order octets. */

export const IPV4_OCTETS = 4;
export const IPV6_OCTETS = 16;
const IPV6_WORDS = 8;

/** Four decimal numbers without leading zeros, which some programs read as octal; null otherwise. */
export function parseIpv4(text: string): Uint8Array | null {
  const address = new Uint8Array(IPV4_OCTETS);
  return writeIpv4(text, address, 0) ? address : null;
}

/** Every text form of RFC 4291 section 2.2, also with an IPv4 address at the end; no zone ids. Null otherwise. */
export function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0], halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1], true) : [];
  if (head === null || tail === null) return null;
  const words = head.length + tail.length;
  // RFC 4291 section 2.2: `::` stands for one or more groups.
  if (halves.length === 2 ? words >= IPV6_WORDS : words !== IPV6_WORDS) return null;
  const address = new Uint8Array(IPV6_OCTETS);
  writeWords(address, head, 0);
  writeWords(address, tail, IPV6_WORDS - tail.length);
  return address;
}

export function formatIpv4(address: Uint8Array): string {
  return `${address[0]}.${address[1]}.${address[2]}.${address[3]}`;
}

/** RFC 5952 section 4; IPv4-mapped addresses end in dotted decimal (section 5). */
export function formatIpv6(address: Uint8Array): string {
  if (isIpv4Mapped(address)) return `::ffff:${formatIpv4(address.subarray(12))}`;
  const run = longestZeroRun(address);
  if (run.length < 2) return formatGroups(address, 0, IPV6_WORDS);
  const head = formatGroups(address, 0, run.start);
  const tail = formatGroups(address, run.start + run.length, IPV6_WORDS);
  return `${head}::${tail}`;
}

/** ::ffff:0:0/96, RFC 4291 section 2.5.5.2. */
export function isIpv4Mapped(address: Uint8Array): boolean {
  for (let i = 0; i < 10; i += 1) if (address[i] !== 0) return false;
  return address[10] === 0xff && address[11] === 0xff;
}

function writeIpv4(text: string, into: Uint8Array, offset: number): boolean {
  const parts = text.split('.');
  if (parts.length !== IPV4_OCTETS) return false;
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return false;
    into[offset + i] = Number(part);
  }
  return true;
}

/** Groups between colons as 16-bit words; an empty text has none. The last may be an IPv4 address. */
function parseGroups(text: string, ipv4Allowed: boolean): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  const words: number[] = [];
  for (const [i, group] of groups.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(group)) {
      words.push(Number.parseInt(group, 16));
      continue;
    }
    const embedded = ipv4Allowed && i === groups.length - 1 ? parseIpv4(group) : null;
    if (embedded === null) return null;
    words.push((embedded[0] << 8) | embedded[1], (embedded[2] << 8) | embedded[3]);
  }
  return words;
}

function writeWords(address: Uint8Array, words: readonly number[], first: number): void {
  for (const [i, word] of words.entries()) {
    address[2 * (first + i)] = word >> 8;
    address[2 * (first + i) + 1] = word & 0xff;
  }
}

/** RFC 5952 section 4.2.3: the longest run of zero words; of equal runs the first. */
function longestZeroRun(address: Uint8Array): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let word = 0; word < IPV6_WORDS; word += 1) {
    if (address[2 * word] !== 0 || address[2 * word + 1] !== 0) start = word + 1;
    else if (word + 1 - start > best.length) best = { start, length: word + 1 - start };
  }
  return best;
}

function formatGroups(address: Uint8Array, from: number, to: number): string {
  const groups: string[] = [];
  for (let word = from; word < to; word += 1) {
    groups.push(((address[2 * word] << 8) | address[2 * word + 1]).toString(16));
  }
  return groups.join(':');
}
