import { isIP } from 'node:net';
import type { Parsed, ValueKind } from './shape.ts';

/** Kinds of single values. `rule` completes the sentence "99999 is not …". */

export function accepted<Value>(value: Value): Parsed<Value> {
  return { ok: true, value };
}

export function refused(why?: string): Parsed<never> {
  return why === undefined ? { ok: false } : { ok: false, why };
}

export const flag: ValueKind<boolean> = {
  rule: 'true or false',
  unitSuffix: '',
  parse: (text) => (text === 'true' || text === 'false' ? accepted(text === 'true') : refused()),
};

export function choice<const Option extends string>(options: readonly Option[]): ValueKind<Option> {
  return {
    rule: `one of ${options.join(', ')}`,
    unitSuffix: '',
    parse: (text) => {
      const found = options.find((option) => option === text);
      return found === undefined ? refused() : accepted(found);
    },
  };
}

export function integer(min: number, max: number, noun = 'a whole number'): ValueKind<number> {
  return {
    rule: `${noun} (${min}-${max})`,
    unitSuffix: '',
    parse: (text) =>
      /^(0|[1-9]\d{0,14})$/.test(text) ? within(Number(text), min, max) : refused(),
  };
}

/** Text with at least one character that shows, on one line. */
export function text(charactersMax: number): ValueKind<string> {
  return {
    rule: `text of 1-${charactersMax} characters on one line`,
    unitSuffix: '',
    parse: (value) =>
      value.trim() !== '' && value.length <= charactersMax && !/\p{Cc}/u.test(value)
        ? accepted(value)
        : refused(),
  };
}

/** Something that can be left out, which is written `none` and loaded as null. */
export function orNone<Value>(kind: ValueKind<Value>): ValueKind<Value | null> {
  return {
    rule: `${kind.rule}, or none`,
    unitSuffix: kind.unitSuffix,
    parse: (value) => (value === 'none' ? accepted(null) : kind.parse(value)),
  };
}

const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '[::1]'];

/** HTTPS, or HTTP to this machine itself. Loaded as it is written: issuers are compared octet by octet. */
export const webAddress: ValueKind<string> = {
  rule: 'an https:// address (http:// only to localhost)',
  unitSuffix: '',
  parse: (value) => {
    if (value.length > 1_024 || !URL.canParse(value)) return refused();
    const { protocol, hostname, username, hash } = new URL(value);
    if (username !== '' || hash !== '') return refused('it has a user name or a fragment');
    const isSafe = protocol === 'https:';
    const isHere = protocol === 'http:' && LOOPBACK_HOSTS.includes(hostname);
    return isSafe || isHere ? accepted(value) : refused();
  },
};

export const port = integer(1, 65535, 'a port');

export const ipAddress: ValueKind<string> = {
  rule: 'an IPv4 or IPv6 address',
  unitSuffix: '',
  // A zone id (fe80::1%eth0) names an interface of this machine and is no part of an address.
  parse: (value) => (isIP(value) !== 0 && !value.includes('%') ? accepted(value) : refused()),
};

/** `192.0.2.0/24` or `2001:db8::/32`. Host bits are for the reader of the prefix to judge. */
export const ipPrefix: ValueKind<string> = {
  rule: 'an IPv4 or IPv6 prefix such as 192.0.2.0/24',
  unitSuffix: '',
  parse: (value) => {
    const [address, length, ...rest] = value.split('/');
    const family = address.includes('%') ? 0 : isIP(address);
    const lengthIsPlain = length !== undefined && /^(0|[1-9]\d{0,2})$/.test(length);
    if (family === 0 || !lengthIsPlain || rest.length > 0) return refused();
    const bits = family === 4 ? 32 : 128;
    return Number(length) <= bits ? accepted(value) : refused(`the length is at most ${bits}`);
  },
};

/** One address, or a prefix of them. */
export const ipNetwork: ValueKind<string> = {
  rule: 'an IPv4 or IPv6 address, or a prefix such as 192.0.2.0/24',
  unitSuffix: '',
  parse: (value) => (value.includes('/') ? ipPrefix : ipAddress).parse(value),
};

const MILLISECONDS_PER_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A duration with its unit, loaded as milliseconds. The limits are written like the values. */
export function duration(min: string, max: string): ValueKind<number> {
  return quantity({
    noun: 'a duration',
    unitSuffix: 'Ms',
    units: MILLISECONDS_PER_UNIT,
    base: 1,
    min,
    max,
  });
}

/** A duration that travels in DNS as whole seconds (RFC 1035 section 3.3.13), loaded as such. */
export function wholeSeconds(min: string, max: string): ValueKind<number> {
  return quantity({
    noun: 'a duration of whole seconds',
    unitSuffix: 'Seconds',
    units: MILLISECONDS_PER_UNIT,
    base: 1_000,
    min,
    max,
  });
}

const OCTETS_PER_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** A size with its unit, loaded as octets. */
export function size(min: string, max: string): ValueKind<number> {
  return quantity({
    noun: 'a size',
    unitSuffix: 'Octets',
    units: OCTETS_PER_UNIT,
    base: 1,
    min,
    max,
  });
}

interface QuantityOptions {
  readonly noun: string;
  readonly unitSuffix: 'Ms' | 'Seconds' | 'Octets';
  readonly units: Readonly<Record<string, number>>;
  /** How much of the smallest unit one of the loaded value is. */
  readonly base: number;
  readonly min: string;
  readonly max: string;
}

function quantity(options: QuantityOptions): ValueKind<number> {
  const { noun, unitSuffix, base, min, max } = options;
  const units = Object.keys(options.units).join(', ');
  const parseAny = (value: string): Parsed<number> => {
    const match = /^(\d{1,12}) ?(\p{L}*)$/u.exec(value);
    if (match === null) return refused();
    const [, digits, unit] = match;
    if (unit === '') return refused(`it has no unit, write one of ${units}`);
    if (!Object.hasOwn(options.units, unit)) {
      return refused(`${unit} is not a unit, write one of ${units}`);
    }
    const loaded = (Number(digits) * options.units[unit]) / base;
    return Number.isInteger(loaded) ? accepted(loaded) : refused();
  };
  const [least, most] = [min, max].map((limit) => {
    const parsed = parseAny(limit);
    if (!parsed.ok) throw new Error(`The limit ${limit} of ${noun} breaks its own rule`);
    return parsed.value;
  });
  return {
    rule: `${noun} (${min} to ${max})`,
    unitSuffix,
    parse: (value) => {
      const parsed = parseAny(value);
      return parsed.ok ? within(parsed.value, least, most) : parsed;
    },
  };
}

function within(value: number, min: number, max: number): Parsed<number> {
  return value >= min && value <= max ? accepted(value) : refused();
}
