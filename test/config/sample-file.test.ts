import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig, parseConfig, renderSampleFile, SETTINGS } from '../../src/config/index.ts';
import { scalarPaths } from '../../src/config/read-shape.ts';

const FILE = new URL('../../config/sluice.yaml', import.meta.url);
const text = readFileSync(FILE, 'utf8');

/** The file as an operator would have it who removes the mark from every setting. */
const uncommented = text.replaceAll(/^( *)#(?=\S| {2})/gm, '$1');

function hasPath(tree: unknown, path: string): boolean {
  let node = tree;
  for (const key of path.split('.')) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) return false;
    node = (node as Record<string, unknown>)[key];
  }
  return node !== null;
}

describe('config/sluice.yaml', () => {
  it('is what the table of settings says (vitest run test/config --update writes it)', async () => {
    await expect(renderSampleFile(SETTINGS)).toMatchFileSnapshot(FILE.pathname);
  });

  it('changes nothing when it is used as it is', () => {
    expect(parseConfig(text, 'sluice.yaml')).toEqual(loadConfig({ env: {} }));
  });

  it('shows the true defaults: with every setting uncommented it still changes nothing', () => {
    expect(parseConfig(uncommented, 'sluice.yaml')).toEqual(loadConfig({ env: {} }));
  });

  it('names every setting', () => {
    const tree: unknown = parse(uncommented);
    const paths = [...scalarPaths(SETTINGS)];
    expect(paths.length).toBeGreaterThan(30);
    expect(paths.filter((path) => !hasPath(tree, path))).toEqual([]);
  });

  it('explains every setting and its rule right above it', () => {
    const lines = text.split('\n');
    const settings = lines.flatMap((line, index) => (/^ *#[a-z]/i.test(line) ? [index] : []));
    expect(settings).toHaveLength([...scalarPaths(SETTINGS)].length);
    for (const index of settings) {
      expect(lines[index - 1], lines[index]).toMatch(/^ *# .+\.$/);
      expect(lines[index - 2], lines[index]).toMatch(/^ *# .+/);
    }
  });

  it('stays within the width of a page', () => {
    expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });
});
