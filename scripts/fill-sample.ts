import { readFileSync } from 'node:fs';

/** What stands in a sample in the place of a name in angle brackets; undefined leaves the line out. */
export type SampleValues = Readonly<Record<string, string | undefined>>;

const PLACEHOLDER = /<([a-z]+(?:-[a-z]+)*)>/g;
const COMMENT = /^\s*(\/\/|#|--)/;

/** A sample of config/ as an operator fills it in. Lines with a value that there is none of are left out. */
export function fillSample(sample: string, values: SampleValues): string {
  const text = readFileSync(new URL(`../config/${sample}`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => COMMENT.test(line) || namesIn(line).every((name) => values[name]))
    .map((line) =>
      COMMENT.test(line)
        ? line
        : line.replace(PLACEHOLDER, (_, name: string) => values[name] ?? ''),
    )
    .join('\n');
}

function namesIn(line: string): string[] {
  return [...line.matchAll(PLACEHOLDER)].map(([, name]) => name!);
}
