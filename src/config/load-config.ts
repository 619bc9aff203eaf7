import { readFileSync, statSync } from 'node:fs';
import { crossCheck } from './cross-checks.ts';
import { readYaml } from './document.ts';
import { withRoot } from './name-kinds.ts';
import { ConfigurationError, inReadingOrder, type Problem } from './problem.ts';
import { readByTable } from './read-shape.ts';
import { type Config, SETTINGS } from './settings.ts';

export interface LoadConfigOptions {
  /** From the command line; goes before the environment. */
  readonly path?: string;
  /** `SLUICE_CONFIG` names the file when `path` is not given. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Far above any real file; keeps a wrong path from being read into memory. */
const FILE_OCTETS_MAX = 2 ** 20;

/**
 * The configuration from the named file, or the defaults when none is named. Throws a
 * ConfigurationError with every problem of the file.
 */
export function loadConfig({ path, env }: LoadConfigOptions): Config {
  // An empty variable is what `SLUICE_CONFIG= npm start` and many service files mean by "none".
  const file = path ?? (env.SLUICE_CONFIG || undefined);
  return file === undefined ? parseConfig('', 'defaults') : parseConfig(readText(file), file);
}

/** Reads the text of a configuration file; `file` is its name in messages. */
export function parseConfig(source: string, file: string): Config {
  const { root, problems: syntaxProblems } = readYaml(source);
  const syntax = syntaxProblems.map((problem): Problem => ({ file, path: '', ...problem }));
  if (root === null) throw new ConfigurationError(syntax);
  const { value, problems, positions } = readByTable(SETTINGS, root, file);
  const single = [...syntax, ...problems];
  const cross = value === null ? [] : crossCheck(value, single, { file, positions });
  const all = [...single, ...cross];
  if (value === null || all.length > 0) throw new ConfigurationError(inReadingOrder(all));
  return deepFreeze(withAbsoluteNames(value));
}

function withAbsoluteNames(config: Config): Config {
  const { root, soa } = config;
  const names = { ns: withRoot(soa.ns, root), hostmaster: withRoot(soa.hostmaster, root) };
  return { ...config, soa: { ...soa, ...names } };
}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > FILE_OCTETS_MAX) throw new Error(`it is larger than ${FILE_OCTETS_MAX} octets`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `cannot be read: ${why}`;
    throw new ConfigurationError([{ file, position: null, path: '', message }]);
  }
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
