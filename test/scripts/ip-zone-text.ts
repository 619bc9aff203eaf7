/**
 * An IP zone in the layout that Sluice serves, written by hand for BIND: summary at the apex, an
 * index of PTR records (two levels when asked), pages of APL records. Its faults are for tests.
 */
export interface IpZone {
  readonly zone: string;
  readonly serial: number;
  readonly side?: 'block' | 'allow';
  readonly prefixes4?: readonly string[];
  readonly prefixes6?: readonly string[];
  readonly itemsPerRecord?: number;
  readonly recordsPerPage?: number;
  readonly twoLevels?: boolean;
  /** Pairs of the summary that are to say something else, such as a wrong count. */
  readonly summary?: Readonly<Record<string, string | number>>;
  /** Lines to change at the end, to break the zone. */
  readonly breakLines?: (lines: string[]) => string[];
}

interface Layout {
  readonly family: 4 | 6;
  readonly prefixes: readonly string[];
  readonly itemsPerRecord: number;
  readonly recordsPerPage: number;
  readonly twoLevels: boolean;
}

export function ipZoneText(options: IpZone): string {
  const { prefixes4 = [], prefixes6 = [], twoLevels = false } = options;
  const { itemsPerRecord = 4, recordsPerPage = 3 } = options;
  const size = { itemsPerRecord, recordsPerPage, twoLevels };
  const summary = {
    v: 1,
    side: options.side ?? 'block',
    serial: options.serial,
    records: 1,
    prefixes4: prefixes4.length,
    prefixes6: prefixes6.length,
    ...options.summary,
  };
  const words = Object.entries(summary).map(([key, value]) => `${key}=${value}`);
  const lines = [
    '$TTL 60',
    `@ SOA ns.sluice.internal. hostmaster.sluice.internal. ${options.serial} 900 300 1209600 60`,
    '@ NS ns.sluice.internal.',
    `@ TXT "${words.join(' ')}"`,
    ...pagesOf({ family: 4, prefixes: prefixes4, ...size }),
    ...pagesOf({ family: 6, prefixes: prefixes6, ...size }),
  ];
  return `${(options.breakLines?.(lines) ?? lines).join('\n')}\n`;
}

/** An empty list still has page 0 with one empty APL record. */
function pagesOf({
  family,
  prefixes,
  itemsPerRecord,
  recordsPerPage,
  twoLevels,
}: Layout): string[] {
  const part = `v${family}`;
  const records: string[] = [];
  const pages: string[] = [];
  const iana = family === 4 ? 1 : 2;
  for (let at = 0; at === 0 || at < prefixes.length; at += itemsPerRecord) {
    const number = records.length / recordsPerPage;
    if (Number.isInteger(number)) pages.push(number === 0 ? '0' : `${number.toString(16)}0000000`);
    const items = prefixes.slice(at, at + itemsPerRecord).map((prefix) => `${iana}:${prefix}`);
    records.push(`${pages.at(-1)}.${part} APL ${items.join(' ')}`);
  }
  const index = twoLevels
    ? twoLevelIndex(part, pages)
    : pages.map((page) => `index.${part} PTR ${page}.${part}`);
  return [...index, ...records];
}

/** Pages go in turn into two groups; the second is there only when it has pages. */
function twoLevelIndex(part: string, pages: readonly string[]): string[] {
  const groups = ['0', '80'].slice(0, pages.length);
  return [
    ...groups.map((group) => `index.${part} PTR ${group}.index.${part}`),
    ...pages.map((page, at) => `${groups[at % groups.length]}.index.${part} PTR ${page}.${part}`),
  ];
}

/** Distinct single addresses, as many as asked (up to 16 million). */
export function somePrefixes4(count: number): string[] {
  return Array.from(
    { length: count },
    (_, at) => `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}/32`,
  );
}

export function somePrefixes6(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `2001:db8:${(at + 1).toString(16)}::/48`);
}
