import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** What each room may import of the others (design, "Rooms"). Files directly in src/ wire the rooms. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  dns: [],
  indicators: ['dns'],
  policy: ['dns', 'indicators'],
  zone: ['dns', 'indicators', 'policy'],
  nameserver: ['dns', 'indicators', 'policy', 'zone'],
  publish: ['dns', 'indicators', 'policy', 'zone', 'nameserver', 'threads'],
  threads: [],
  store: ['publish', 'threads'],
  server: ['dns', 'nameserver'],
  notify: ['dns', 'publish'],
  lookup: ['dns'],
  feeds: ['dns', 'indicators', 'policy', 'publish', 'threads'],
  http: ['dns', 'indicators', 'policy', 'publish'],
  config: ['dns', 'policy'],
};

/** Rooms without I/O, clock, randomness or environment, and what they may still use of Node. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  // HMAC is arithmetic.
  dns: ['node:crypto'],
  // UTS 46 as Node has it.
  indicators: ['node:url'],
  policy: [],
  zone: [],
};

const files = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return files(path);
    return path.endsWith('.ts') ? [path] : [];
  });

interface Import {
  readonly file: string;
  readonly room: string;
  readonly from: string;
}

const roomOf = (path: string): string => relative(SRC, path).split('/')[0] ?? '';

const imports: Import[] = files(SRC).flatMap((file) => {
  const source = readFileSync(file, 'utf8');
  const found = source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g);
  return [...found].map(([, from = '']) => ({
    file: relative(SRC, file),
    room: roomOf(file),
    from,
  }));
});

describe('the rooms of src', () => {
  it('import one another in one direction only', () => {
    const forbidden = imports.flatMap(({ file, room, from }) => {
      const allowed = MAY_IMPORT[room];
      if (!from.startsWith('.') || allowed === undefined) return [];
      const other = roomOf(resolve(SRC, dirname(file), from));
      return other === room || allowed.includes(other) ? [] : [`${file} imports ${from}`];
    });
    expect(forbidden).toEqual([]);
  });

  it('are all in the table, but for the files that wire them', () => {
    const rooms = readdirSync(SRC).filter((name) => statSync(join(SRC, name)).isDirectory());
    expect(rooms.filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  });

  it('are pure where the design says so', () => {
    const impure = imports.filter(
      ({ room, from }) => room in PURE && from.startsWith('node:') && !PURE[room].includes(from),
    );
    expect(impure).toEqual([]);
    const usesClock = files(SRC)
      .filter((file) => roomOf(file) in PURE)
      .filter((file) =>
        /\b(Date\.now|new Date\(\)|Math\.random|process\.env)\b/.test(readFileSync(file, 'utf8')),
      );
    expect(usesClock).toEqual([]);
  });

  it('keep SQLite in the store', () => {
    const users = imports.filter(({ room, from }) => from === 'better-sqlite3' && room !== 'store');
    expect(users).toEqual([]);
  });

  it('open with a note on what lives there and what does not', () => {
    const silent = Object.keys(MAY_IMPORT).filter((room) => {
      const index = readFileSync(join(SRC, room, 'index.ts'), 'utf8');
      return !index.startsWith('/**');
    });
    expect(silent).toEqual([]);
  });
});
