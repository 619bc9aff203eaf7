import { readFile } from 'node:fs/promises';

const CONFIG = new URL('../../../config/', import.meta.url);

/** Placeholders look like <primary-address>. */
const PLACEHOLDER = /<([a-z]+(?:-[a-z]+)*)>/g;
const COMMENT = /^\s*(#|\/\/|--)/;

/**
 * Reads a client configuration from `config/` and fills in its placeholders as an operator would.
 * A line whose placeholder is given as undefined is left out: the comments in the files say which
 * lines go when there is no TSIG key. A placeholder that is not given at all is an error.
 */
export async function fillSample(
  path: string,
  values: Readonly<Record<string, string | number | undefined>>,
): Promise<string> {
  const text = await readFile(new URL(path, CONFIG), 'utf8');
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (COMMENT.test(line)) {
      lines.push(line);
      continue;
    }
    const names = [...line.matchAll(PLACEHOLDER)].map(([, name]) => name!);
    const unknown = names.find((name) => !Object.hasOwn(values, name));
    if (unknown !== undefined) throw new Error(`${path}: no value for <${unknown}>`);
    if (names.some((name) => values[name] === undefined)) continue;
    lines.push(line.replace(PLACEHOLDER, (_, name: string) => String(values[name])));
  }
  return lines.join('\n');
}
