import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

/** The modules of ours that a program consists of, by their URLs, as JavaScript. */
export type ThreadSources = ReadonlyMap<string, string>;

/** Modules of ours are imported by their paths; what is named in another way is no TypeScript. */
const IMPORTS = /^(?:import|export)\b[^;']*?'(\.[^']+\.ts)';/gm;

/** Reads a program and all modules of ours that it imports, and takes their types away. Throws when one cannot be read. */
export function stripProgram(program: URL): ThreadSources {
  const sources = new Map<string, string>();
  const strip = (url: URL): void => {
    if (sources.has(url.href)) return;
    sources.set(url.href, '');
    const source = stripTypeScriptTypes(readFileSync(url, 'utf8'));
    sources.set(url.href, source);
    for (const [, path] of source.matchAll(IMPORTS)) strip(new URL(path!, url));
  };
  strip(program);
  return sources;
}
