import { describe, expect, it } from 'vitest';
import { parseConfig, SETTINGS } from '../../src/config/index.ts';
import { fileKey, type Shape } from '../../src/config/shape.ts';
import { differencesOf, TAKEN } from '../../src/when-taken.ts';

/** The names of all settings as the file has them. */
function namesIn(shape: Shape, path = ''): string[] {
  if (shape.shape !== 'section') return [path];
  return Object.entries(shape.fields).flatMap(([property, field]) =>
    namesIn(field, [path, fileKey(property, field)].filter(Boolean).join('.')),
  );
}

/** All settings that two configurations without one setting in common differ in. */
function allNames(): string[] {
  const other = (value: unknown): unknown =>
    typeof value !== 'object' || value === null || Array.isArray(value)
      ? 'another'
      : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, other(inner)]));
  const config = parseConfig('', 'test');
  return Object.values(differencesOf(config, other(config) as typeof config)).flat();
}

describe('the table of when a setting counts', () => {
  it('has every setting of the file, by its name there, and nothing else', () => {
    expect(allNames().sort()).toEqual(namesIn(SETTINGS).sort());
  });

  it('finds no difference between a configuration and itself', () => {
    const yaml = 'dns: {listen: [{address: 127.0.0.1, port: 5301}]}';
    const [before, after] = [parseConfig(yaml, 'a'), parseConfig(yaml, 'b')];
    expect(differencesOf(before, after)).toEqual({ reload: [], restart: [], 'new-database': [] });
  });

  it('sorts what differs by when it counts', () => {
    const after = parseConfig(
      'root: other.example\naccount: north\nlog: {level: debug, format: text}\nnotify: {timeout: 5s}',
      'test',
    );
    expect(differencesOf(parseConfig('', 'test'), after)).toEqual({
      reload: ['notify.timeout', 'log.level'],
      restart: ['root', 'soa.ns', 'soa.hostmaster', 'log.format'],
      'new-database': ['account'],
    });
  });

  it('lets nobody change by a reload what is bound, opened or written down at the start', () => {
    expect(TAKEN.dns.listen).toBe('restart');
    expect(TAKEN.dataDirectory).toBe('restart');
    expect(TAKEN.process.user).toBe('restart');
    expect(TAKEN.root).toBe('restart');
  });
});
