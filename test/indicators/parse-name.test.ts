import { domainToASCII } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseIndicator } from '../../src/indicators/parse-indicator.ts';
import { keyHex, outcome, PARSE_OPTIONS } from './parsing.ts';

const L63 = 'a'.repeat(63);

describe('interop.md, rule 2: names', () => {
  it.each([
    ['evil.example', 'name:evil.example'],
    ['Evil.EXAMPLE', 'name:evil.example'],
    ['evil.example.', 'name:evil.example'],
    ['  evil.example\r\n', 'name:evil.example'],
    ['*.evil.example', 'wildcard:*.evil.example'],
    ['*.evil.example.', 'wildcard:*.evil.example'],
    ['_dmarc._tcp.evil.example', 'name:_dmarc._tcp.evil.example'],
    ['-a-.evil.example', 'name:-a-.evil.example'],
    ['0.0.0.0.evil.example', 'name:0.0.0.0.evil.example'],
    ['4.3.2.1.in-addr.arpa', 'name:4.3.2.1.in-addr.arpa'],
    ['192.0.2.10-192.0.2.20.example', 'name:192.0.2.10-192.0.2.20.example'],
    ['xn--bcher-kva.example', 'name:xn--bcher-kva.example'],
  ])('%j is %s', (text, expected) => {
    expect(outcome(text)).toBe(expected);
  });

  it('become labels in wire form without the root octet', () => {
    expect(keyHex('Evil.Example')).toBe('046576696c076578616d706c65');
    expect(keyHex('*.evil.example')).toBe(keyHex('evil.example'));
  });

  it.each([
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['bu\u0308cher.example', 'xn--bcher-kva.example'],
    ['faß.example', 'xn--fa-hia.example'],
    ['☃.example', 'xn--n3h.example'],
    ['ｅｖｉｌ。example。', 'evil.example'],
    ['ev\u00adil.example', 'evil.example'],
    ['_ü.example', 'xn--_-eha.example'],
  ])('%j goes through UTS 46 to %s', (text, expected) => {
    expect(outcome(text)).toBe(`name:${expected}`);
  });

  it.each([
    ['a\u200db.example', 'idn'],
    ['\ufffd.example', 'idn'],
    ['\ud800.example', 'idn'],
    ['xn--a.ü.example', 'idn'],
    ['ü\u2100.example', 'idn'],
    ['ü%41.example', 'bad-character'],
    ['１.２.３', 'address-as-name'],
    ['１９２.０.２.１', 'address-as-name'],
    ['ü.1.2.3', 'idn'],
    ['ü..example', 'empty-label'],
    [`${'ü'.repeat(60)}.example`, 'label-too-long'],
    [`${'u\u0308'.repeat(97)}.example`, 'label-too-long'],
    [`${'ü.'.repeat(260)}example`, 'name-too-long'],
  ])('%j is refused after or by UTS 46: %s', (text, reason) => {
    expect(outcome(text)).toBe(`!${reason}`);
  });

  it.each([
    ['', 'empty'],
    [' \t ', 'empty'],
    ['name:', 'empty'],
    ['evil..example', 'empty-label'],
    ['.evil.example', 'empty-label'],
    ['evil.example..', 'empty-label'],
    ['..', 'empty-label'],
    ['*..example', 'empty-label'],
    [`${L63}a.example`, 'label-too-long'],
    ['http://evil.example/', 'url'],
    ['evil.example/path', 'url'],
    ['evil.example:443', 'url'],
    ['evil.example?a=b', 'url'],
    ['//evil.example', 'url'],
    ['http://user@evil.example', 'url'],
    ['user@evil.example', 'at-sign'],
    ['mailto:user@evil.example', 'at-sign'],
    ['evil.*.example', 'wildcard-position'],
    ['*evil.example', 'wildcard-position'],
    ['evil*.example', 'wildcard-position'],
    ['*.*.example', 'wildcard-position'],
    ['||evil.example^', 'bad-character'],
    ['ev%69l.example', 'bad-character'],
    ['evil.example#', 'bad-character'],
    ['evil\0.example', 'bad-character'],
    ['0.0.0.0 evil.example', 'several-words'],
    ['Title: a list', 'several-words'],
    ['evil.rpz-ip', 'trigger-label'],
    ['24.0.2.0.192.RPZ-IP.', 'trigger-label'],
    ['evil.rpz-anything', 'trigger-label'],
    ['rpz-passthru', 'trigger-label'],
    ['ev\\105l.example', 'escape-not-allowed'],
    ['domain:evil.example', 'unknown-kind'],
    ['a'.repeat(4097), 'too-long'],
  ])('%j is refused: %s', (text, reason) => {
    expect(outcome(text)).toBe(`!${reason}`);
  });

  it('with `rpz-` anywhere but in the last label are names like others', () => {
    expect(outcome('rpz-ip.evil.example')).toBe('name:rpz-ip.evil.example');
    expect(outcome('evil.rpzone')).toBe('name:evil.rpzone');
  });
});

describe('names in Unicode at their limits', () => {
  it('are mapped however many marks they have, while 63 octets hold them', () => {
    const label = 'e\u0323\u0302'.repeat(50);
    expect(outcome(`${label}.example`)).toMatch(/^name:xn--.{50,59}\.example$/);
  });

  it('cost little when they are long, though Punycode costs the square of the length', () => {
    const letters = Array.from({ length: 1300 }, (_, i) =>
      String.fromCodePoint(0x4e00 + ((i * 7919) % 20_000)),
    );
    const name = letters.join('');
    const limited = processorTime(() => expect(outcome(name)).toBe('!name-too-long'));
    const unlimited = processorTime(() => domainToASCII(name));
    expect(limited).toBeLessThan(unlimited / 5);
  });

  function processorTime(work: () => void): number {
    const start = process.cpuUsage();
    for (let round = 0; round < 100; round++) work();
    const { user, system } = process.cpuUsage(start);
    return user + system;
  }
});

describe('interop.md, rule 2: addresses are no names, however domainToASCII reads them', () => {
  it.each([
    ['1.2.3', 'bad-address'],
    ['1.2.3.256', 'bad-address'],
    ['1.2.3.4.5', 'bad-address'],
    ['10.0.0.1-20', 'bad-address'],
    ['0x7f.1', 'address-as-name'],
    ['127.0x1', 'address-as-name'],
    ['evil.0x', 'address-as-name'],
    ['evil.123', 'address-as-name'],
    ['evil.1-2', 'address-as-name'],
    ['name:192.0.2.1', 'address-as-name'],
    ['host:192.0.2.0/24', 'address-as-name'],
    ['wildcard:2001:db8::1', 'address-as-name'],
    ['*.192.0.2.1', 'address-as-name'],
  ])('%j is refused: %s', (text, reason) => {
    expect(outcome(text)).toBe(`!${reason}`);
  });

  it('but a last label with any other letter is a name', () => {
    expect(outcome('1.2.3.0xg')).toBe('name:1.2.3.0xg');
    expect(outcome('1.2.3.4a')).toBe('name:1.2.3.4a');
  });
});

describe('interop.md, rule 2: escapes, in user-defined lists only', () => {
  const escapes = { escapes: true };

  it.each([
    ['a\\.b.example', 'name:a\\.b.example'],
    ['a\\046b.example', 'name:a\\.b.example'],
    ['\\101vil.example', 'name:evil.example'],
    ['\\069vil.example', 'name:evil.example'],
    ['a\\000\\255.example', 'name:a\\000\\255.example'],
    ['a\\042b.example', 'name:a\\042b.example'],
    ['a\\..example.', 'name:a\\..example'],
  ])('%j is %s', (text, expected) => {
    expect(outcome(text, escapes)).toBe(expected);
  });

  it('are compared as wire octets', () => {
    expect(keyHex('a\\.b.example', escapes)).toBe('03612e62076578616d706c65');
    expect(keyHex('\\065\\.B.example', escapes)).toBe(keyHex('a\\046b.example', escapes));
  });

  it.each([
    ['a\\256.example', 'bad-escape'],
    ['a\\12.example', 'bad-escape'],
    ['a\\', 'bad-escape'],
    ['a\\@b.example', 'at-sign'],
    ['a\\x.example', 'bad-escape'],
    ['ü\\046.example', 'idn'],
    ['evil.\\042.example', 'wildcard-position'],
    ['evil.\\114pz-ip', 'trigger-label'],
    ['192.0.2.\\049', 'address-as-name'],
    ['http\\058//evil.example', 'url'],
  ])('%j is refused: %s', (text, reason) => {
    expect(outcome(text, escapes)).toBe(`!${reason}`);
  });

  it('cannot hide an asterisk label: RFC 4592 section 2.1.1 looks at the octets', () => {
    expect(outcome('\\042.evil.example', escapes)).toBe('wildcard:*.evil.example');
    expect(outcome('host:\\042.evil.example', escapes)).toBe('!kind-mismatch');
  });
});

describe('interop.md, rule 3: lengths', () => {
  /** A name whose key has that many octets. */
  function nameOfKeyOctets(octets: number): string {
    const labels = Array.from({ length: Math.floor(octets / 64) }, () => L63);
    const rest = octets % 64;
    return [...labels, 'a'.repeat(rest - 1)].filter((label) => label !== '').join('.');
  }

  it('a name has at most 255 octets with its root', () => {
    const options = { ownerOctetsMax: 1000 };
    expect(keyHex(nameOfKeyOctets(254), options)).toHaveLength(2 * 254);
    expect(keyHex(`${nameOfKeyOctets(254)}.`, options)).toHaveLength(2 * 254);
    expect(outcome(nameOfKeyOctets(255), options)).toBe('!name-too-long');
    expect(outcome(`${nameOfKeyOctets(255)}.`, options)).toBe('!name-too-long');
    expect(outcome(`${nameOfKeyOctets(250)}.${L63}`, options)).toBe('!name-too-long');
  });

  it.each([
    ['', 2],
    ['host:', 2],
    ['*.', 2],
    ['nsname:', 2 + 12],
  ])('%jname costs %d octets more than the name', (prefix, octets) => {
    const text = prefix + nameOfKeyOctets(100);
    expect(parseIndicator(text, { ...PARSE_OPTIONS, ownerOctetsMax: 100 + octets }).ok).toBe(true);
    expect(outcome(text, { ownerOctetsMax: 99 + octets })).toBe('!owner-too-long');
  });

  it.each([
    ['192.0.2.255', '32.255.2.0.192.rpz-ip'],
    ['nsip:192.0.2.255', '32.255.2.0.192.rpz-nsip'],
    ['clientip:192.0.2.255', '32.255.2.0.192.rpz-client-ip'],
    ['2001:db8::3', '128.3.zz.db8.2001.rpz-ip'],
  ])('%s needs the octets of %s', (text, owner) => {
    // Every label has one octet for its length, as many as there are dots and one more.
    const octets = owner.length + 1;
    expect(parseIndicator(text, { ...PARSE_OPTIONS, ownerOctetsMax: octets }).ok).toBe(true);
    expect(outcome(text, { ownerOctetsMax: octets - 1 })).toBe('!owner-too-long');
  });
});

describe('what needs a confirmation', () => {
  it.each(['co.example', 'CO.example.', '*.co.example', 'host:co.example', 'nsname:co.example'])(
    '%s, a public suffix',
    (text) => {
      expect(outcome(text)).toBe('!public-suffix');
      expect(outcome(text, { confirmBroad: true })).toMatch(/:(\*\.)?co\.example$/);
    },
  );

  it.each(['com', 'com.', '*.com', 'localhost'])('%s, a single label', (text) => {
    expect(outcome(text)).toBe('!public-suffix');
    expect(outcome(text, { confirmBroad: true })).toMatch(/^(name|wildcard):/);
  });

  it.each(['.', '*', '*.', 'name:.', 'wildcard:*', 'wildcard:.', '\u3002'])(
    '%j, everything, which is then published as the wildcard *',
    (text) => {
      expect(outcome(text)).toBe('!root');
      expect(outcome(text, { confirmBroad: true })).toBe('!root');
      expect(outcome(text, { confirmRoot: true })).toBe('wildcard:*');
      expect(keyHex(text, { confirmRoot: true })).toBe('');
    },
  );

  it.each(['host:.', 'nsname:.'])('but %s cannot be had: the apex is taken', (text) => {
    expect(outcome(text, { confirmRoot: true, confirmBroad: true })).toBe('!root');
  });

  it('a name below a public suffix needs none', () => {
    expect(outcome('evil.co.example')).toBe('name:evil.co.example');
  });
});

describe('explicit kinds', () => {
  it.each([
    ['name:evil.example', 'name:evil.example'],
    ['HOST:evil.example', 'host:evil.example'],
    ['wildcard:evil.example', 'wildcard:*.evil.example'],
    ['wildcard:*.evil.example', 'wildcard:*.evil.example'],
    ['ip:192.0.2.0/24', 'ip:192.0.2.0/24'],
    ['nsname:ns.evil.example', 'nsname:ns.evil.example'],
    ['nsip:2001:db8::/32', 'nsip:2001:db8::/32'],
    ['clientip:192.0.2.10-192.0.2.11', 'clientip:192.0.2.10/31'],
  ])('%s is %s', (text, expected) => {
    expect(outcome(text)).toBe(expected);
  });

  it.each([
    ['name:*.evil.example', 'kind-mismatch'],
    ['host:*.evil.example', 'kind-mismatch'],
    ['nsname:*.evil.example', 'kind-mismatch'],
    ['ip:evil.example', 'bad-address'],
    ['nsip:', 'empty'],
    ['host:evil.example:443', 'url'],
    ['name:name:evil.example', 'url'],
    ['name: evil.example', 'several-words'],
  ])('%s is refused: %s', (text, reason) => {
    expect(outcome(text)).toBe(`!${reason}`);
  });
});
