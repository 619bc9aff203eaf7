import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadFeedPresets } from '../../src/config/index.ts';
import type { TargetAttributes } from '../../src/policy/model.ts';

const ZONES = join(import.meta.dirname, '../../zones');
const text = readFileSync(join(ZONES, 'feeds.yaml'), 'utf8');
const feeds = loadFeedPresets(ZONES);
type Preset = (typeof feeds)[number];
const byName = new Map(feeds.map((feed) => [feed.name, feed]));

/** The names of all feeds that are not as they should be. */
function except(isRight: (feed: Preset) => boolean): string[] {
  return feeds.filter((feed) => !isRight(feed)).map(({ name }) => name);
}

function repeated(values: readonly string[]): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

describe('the catalogue of public feeds', () => {
  it('has what is best known of each kind', () => {
    expect(feeds.length).toBeGreaterThanOrEqual(45);
    expect([...byName.keys()]).toEqual(
      expect.arrayContaining([
        ...['feodo-tracker', 'urlhaus-hosts', 'urlhaus-rpz', 'threatfox-hosts', 'sslbl-ips'],
        ...['spamhaus-drop', 'spamhaus-drop-v6', 'cins-army', 'dshield-block'],
        ...['blocklist-de-all', 'blocklist-de-ssh', 'blocklist-de-mail', 'blocklist-de-apache'],
        ...['emerging-threats-block', 'emerging-threats-compromised', 'firehol-level-1'],
        ...['ipsum', 'ipsum-level-3', 'greensnow', 'binary-defense', 'tor-exits', 'data-shield'],
        ...['phishing-database', 'openphish', 'phishtank', 'cert-pl', 'phishing-army'],
        ...['stevenblack', 'oisd-small', 'oisd-big', 'hagezi-light', 'hagezi-pro', 'hagezi-tif'],
        ...['adguard-dns', 'easylist', 'easyprivacy', 'someonewhocares', 'nocoin', 'doh-servers'],
        ...['hagezi-dyndns', 'hagezi-nrd', 'maltrail-malware', 'onehosts-lite'],
      ]),
    );
  });

  it('names every feed and every address once', () => {
    expect(
      except(({ name }) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) && name.length <= 63),
    ).toEqual([]);
    expect(repeated(feeds.map(({ name }) => name))).toEqual([]);
    expect(repeated(feeds.map(({ title }) => title))).toEqual([]);
    expect(repeated(feeds.map(({ url }) => url))).toEqual([]);
  });

  it('says who publishes each, in a sentence or two where something has to be known', () => {
    expect(except(({ publisher, note }) => publisher !== '' && note.length <= 600)).toEqual([]);
  });

  it('fetches by HTTPS only, without credentials in the address', () => {
    const isSafe = (address: string): boolean => {
      const { protocol, username, password, hash, port } = new URL(address);
      return protocol === 'https:' && `${username}${password}${hash}${port}` === '';
    };
    expect(except(({ url, licenceUrl }) => isSafe(url) && isSafe(licenceUrl ?? ''))).toEqual([]);
  });

  it('says for each under which terms it is, or where they are', () => {
    const known =
      /^(see the publisher's page|MIT|GPL-3\.0|The Unlicense|CC0 1\.0|CC BY(-NC)?(-SA)? \d\.\d|Maltrail Trails Community Data License 1\.0)$/;
    expect(except(({ licence }) => known.test(licence))).toEqual([]);
  });

  it('fetches none more often than every hour, and all of them within a week', () => {
    const HOUR = 3_600;
    const isDue = ({ intervalSeconds: seconds }: Preset): boolean =>
      seconds % HOUR === 0 && seconds >= HOUR && seconds <= 7 * 24 * HOUR;
    expect(except(isDue)).toEqual([]);
    expect(byName.get('spamhaus-drop')!.intervalSeconds).toBe(12 * HOUR);
    expect(byName.get('openphish')!.intervalSeconds).toBe(12 * HOUR);
    expect(byName.get('ipsum')!.intervalSeconds).toBe(24 * HOUR);
  });
});

describe('the formats of the catalogue', () => {
  const PLAIN = ['lines', 'hosts', 'adblock', 'wildcard', 'dnsmasq', 'unbound', 'rpz'];
  const ofKind = (...kinds: string[]): Preset[] =>
    feeds.filter(({ format }) => kinds.includes(format.kind));

  it('are written with what their kind needs and nothing else', () => {
    expect(
      except(({ format }) => [...PLAIN, 'csv', 'jsonl', 'regex'].includes(format.kind)),
    ).toEqual([]);
    for (const { format } of ofKind(...PLAIN)) expect(Object.keys(format)).toEqual(['kind']);
    for (const { format } of ofKind('csv')) {
      expect(format).toMatchObject({ header: expect.any(Boolean), commentPrefix: '#' });
      expect([',', ';', 'tab', '|']).toContain(format.separator);
      // Without a header columns have only numbers.
      for (const column of [format.value, format.comment]) {
        expect(typeof column).toBe(format.header === true ? 'string' : 'number');
      }
    }
    for (const { format } of ofKind('jsonl')) {
      expect(format).toEqual({ kind: 'jsonl', path: '', value: 'cidr', comment: 'sblid' });
    }
  });

  it('say whether a name means all below it', () => {
    expect(except(({ namesAs }) => ['name', 'host'].includes(namesAs))).toEqual([]);
  });

  it('take names of hosts files for these hosts alone', () => {
    expect(ofKind('hosts').filter(({ namesAs }) => namesAs !== 'host')).toEqual([]);
  });

  const valueIn = (name: string, line: string): unknown => {
    const match = new RegExp(String(byName.get(name)!.format.pattern)).exec(line);
    return match === null ? null : { ...match.groups };
  };

  it.each([
    ['http://192.0.2.1/bin.sh', '192.0.2.1'],
    ['https://evil.example:8443/x?to=http://www.example.org/', 'evil.example'],
    ['https://user:secret@evil.example/', 'evil.example'],
    ['https://evil.example/@someone', 'evil.example'],
    ['https://evil.example?x', 'evil.example'],
    ['https://evil.example', 'evil.example'],
  ])('take from the URL %s its host only', (url, value) => {
    for (const name of ['urlhaus-text', 'openphish']) expect(valueIn(name, url)).toEqual({ value });
    const row = `123,${url},https://www.phishtank.com/phish_detail.php?phish_id=123,2026-01-01`;
    expect(valueIn('phishtank', row)).toEqual({ value });
    expect(valueIn('phishtank', row.replace(url, `"${url},x"`))).toEqual({ value });
  });

  it('take no URL that stands in a comment or in the head of a table', () => {
    expect(valueIn('urlhaus-text', '# Terms: https://urlhaus.example/api/')).toBeNull();
    expect(valueIn('phishtank', 'phish_id,url,phish_detail_url')).toBeNull();
  });

  it.each([', ', ','])(
    'take address, family and confidence of rows with %j between',
    (separator) => {
      const row = (value: string, type: string): string =>
        [
          '2026-01-01 00:00:00',
          '1',
          value,
          type,
          'botnet_cc',
          'win.x',
          'None',
          'QakBot',
          '',
          '75',
          '-',
        ]
          .map((field) => `"${field}"`)
          .join(separator);
      expect(valueIn('threatfox-addresses', row('192.0.2.1:443', 'ip:port'))).toEqual({
        value: '192.0.2.1',
        comment: 'QakBot',
        confidence: '75',
      });
      expect(valueIn('threatfox-addresses', row('evil.example', 'domain'))).toBeNull();
    },
  );
});

describe('the attributes of the catalogue', () => {
  const attributesExcept = (isRight: (attributes: TargetAttributes) => boolean): string[] =>
    except(({ attributes }) => isRight(attributes));

  it('say what is listed in the words that bundles ask for', () => {
    expect(attributesExcept(({ iocType }) => ['ip', 'domain', 'mixed'].includes(iocType))).toEqual(
      [],
    );
    const namesOnly = ['hosts', 'adblock', 'wildcard', 'rpz'];
    expect(
      except(({ format, attributes }) =>
        namesOnly.includes(format.kind) ? attributes.iocType === 'domain' : true,
      ),
    ).toEqual([]);
    expect(
      attributesExcept(({ tags }) => tags.length > 0 && new Set(tags).size === tags.length),
    ).toEqual([]);
  });

  it('have the danger that belongs to their severity', () => {
    const dangers = ['none', 'low', 'low', 'medium', 'high', 'critical'];
    expect(attributesExcept(({ severity, danger }) => dangers[severity] === danger)).toEqual([]);
  });

  it('never call harmless what is called dangerous: risk rises with severity', () => {
    const risks = [0, 1, 2, 3, 4, 5].map((level) =>
      feeds.filter(({ attributes }) => attributes.severity === level),
    );
    const averages = risks
      .filter((some) => some.length > 0)
      .map((some) => some.reduce((sum, { attributes }) => sum + attributes.risk, 0) / some.length);
    expect(averages).toEqual(averages.toSorted((a, b) => a - b));
    expect(attributesExcept(({ severity, risk }) => severity < 5 || risk >= 75)).toEqual([]);
    expect(attributesExcept(({ severity, risk }) => severity > 1 || risk <= 30)).toEqual([]);
  });
});

describe('what the catalogue says about its own certainty', () => {
  /** The comment right above each entry, on one line. */
  const comments = new Map(
    [...text.matchAll(/((?:^ {2}# .*\n)*)^ {2}- name: (.+)$/gm)].map(([, comment, name]) => [
      name,
      comment
        .replaceAll(/^ {2}# /gm, '')
        .replaceAll('\n', ' ')
        .trim(),
    ]),
  );

  it('names a document for every feed that counts as verified, and for no other', () => {
    expect(comments.size).toBe(feeds.length);
    expect(
      except(({ name, verified }) => verified === comments.get(name)!.startsWith('Found in: ')),
    ).toEqual([]);
  });

  it('explains every short name of a document at its head', () => {
    const head = text.slice(0, text.indexOf('\nfeeds:'));
    const used = new Set([...comments.values()].join(' ').match(/\b(?:OW|FH|FL|MISP|IQ)\b/g));
    const explained = [...head.matchAll(/^# {3}([A-Z]+) +\S+\/\S+: /gm)].map(([, short]) => short);
    expect([...used].toSorted()).toEqual(explained.toSorted());
  });

  it('warns of what has to be registered, may not be sold, or is only partly usable', () => {
    const notes = (name: string): string => byName.get(name)!.note;
    for (const name of ['phishtank', 'threatfox-hosts', 'threatfox-addresses']) {
      expect(notes(name)).toMatch(/^Needs registration/);
    }
    expect(
      except(({ licence, note }) => !licence.includes('NC') || /Not for commercial use/.test(note)),
    ).toEqual([]);
    for (const name of ['easylist', 'easyprivacy']) {
      expect(notes(name)).toContain('only rules of the form ||name^ can be used');
    }
    expect(notes('sslbl-ips')).toMatch(/^Retired/);
    expect(notes('oisd-small')).toContain('"domainswild2"');
  });
});
