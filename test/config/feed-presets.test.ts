import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError, loadFeedPresets } from '../../src/config/index.ts';

/** Two presets without a mistake; each test makes one. */
const FEEDS = `feeds:
  - name: first-feed
    title: First feed
    url: https://feeds.example/first.txt
    publisher: Feeds of example
    licence: CC0 1.0
    licenceUrl: https://feeds.example/terms
    format: { kind: lines }
    interval: 1h
    attributes: { severity: 5, confidence: 95, risk: 90, danger: critical, iocType: ip, threatType: botnet, trafficType: outbound, tags: [c2] }
    note: >-
      Register
      first.
    verified: true
  - name: second-feed
    title: Second feed
    url: http://feeds.example/second.csv
    publisher: Feeds of example
    licence: see https://feeds.example/terms
    format: { kind: csv, separator: ',', header: true, value: ip, comment: 3 }
    namesAs: host
    interval: 10m
    attributes: { severity: 4, confidence: 80, risk: 70, danger: high, iocType: ip, threatType: scanner, trafficType: inbound }
    verified: false
`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-presets-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function load(text: string) {
  writeFileSync(join(directory, 'feeds.yaml'), text);
  return loadFeedPresets(directory);
}

/** Line, path and message of each problem, when one thing of the file is another. */
function problemsWith(
  good: string,
  bad: string,
): (readonly [number | undefined, string, string])[] {
  expect(FEEDS).toContain(good);
  try {
    load(FEEDS.replace(good, bad));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ position, path, message }) => [position?.line, path, message]);
  }
  throw new Error(`${bad} was taken`);
}

describe('the file of feed presets', () => {
  it('is loaded with its units and with what was left out', () => {
    const [first, second] = load(FEEDS);
    expect(first).toMatchObject({
      namesAs: 'name',
      intervalSeconds: 3_600,
      note: 'Register first.',
    });
    expect(second).toEqual({
      name: 'second-feed',
      title: 'Second feed',
      url: 'http://feeds.example/second.csv',
      publisher: 'Feeds of example',
      licence: 'see https://feeds.example/terms',
      licenceUrl: null,
      format: { kind: 'csv', separator: ',', header: true, value: 'ip', comment: 3 },
      namesAs: 'host',
      intervalSeconds: 600,
      attributes: {
        severity: 4,
        confidence: 80,
        risk: 70,
        danger: 'high',
        iocType: 'ip',
        threatType: 'scanner',
        trafficType: 'inbound',
        tags: [],
      },
      note: '',
      verified: false,
    });
  });

  it('is refused with line, field and rule', () => {
    expect(problemsWith('name: first-feed', 'name: First Feed')).toEqual([
      [2, 'feeds[0].name', 'First Feed is not a name of lower-case letters, digits and hyphens'],
    ]);
    expect(problemsWith('https://feeds.example/first.txt', 'ftp://feeds.example/')).toEqual([
      [
        4,
        'feeds[0].url',
        'ftp://feeds.example/ is not an address that feeds can have: The address begins with https:// or http://.',
      ],
    ]);
    expect(problemsWith('interval: 10m', 'interval: 30s')).toEqual([
      [22, 'feeds[1].interval', expect.stringMatching(/^30s is not a duration/)],
    ]);
    expect(problemsWith('kind: lines', 'kind: list')).toEqual([
      [8, 'feeds[0].format.kind', expect.stringMatching(/^list is not one of auto, lines/)],
    ]);
    expect(problemsWith('value: ip', 'pattern: ip')).toEqual([
      [20, 'feeds[1].format.value', 'A feed of format csv says it.'],
      [20, 'feeds[1].format.pattern', 'A feed of format csv has no such field.'],
    ]);
    expect(problemsWith('    verified: true\n', '')).toEqual([
      [2, 'feeds[0].verified', 'is missing: it must be true or false'],
    ]);
    expect(problemsWith('publisher:', 'publishr:').map(([, path]) => path)).toEqual([
      'feeds[0].publisher',
      'feeds[0].publishr',
    ]);
  });

  it('has no name, title or address twice', () => {
    expect(problemsWith('name: second-feed', 'name: first-feed')).toEqual([
      [15, 'feeds[1].name', 'first-feed is that of feeds[0] already'],
    ]);
    expect(problemsWith('Second feed', 'first FEED')).toEqual([
      [16, 'feeds[1].title', 'first FEED is that of feeds[0] already'],
    ]);
  });

  it('is refused when it is not there', () => {
    expect(() => loadFeedPresets(directory)).toThrow(/feeds\.yaml: cannot be read/);
  });

  it('is shipped with feeds that all can be turned on', () => {
    const zones = fileURLToPath(new URL('../../zones', import.meta.url));
    const presets = loadFeedPresets(zones);
    expect(presets.length).toBeGreaterThanOrEqual(40);
    for (const { name, title, licence } of presets) {
      expect(title.length, name).toBeLessThanOrEqual(64);
      expect(licence, name).not.toBe('');
    }
  });
});
