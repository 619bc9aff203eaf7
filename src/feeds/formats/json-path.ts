/** A way into a JSON document: names with dots between them, `[*]` for every item. */
export type JsonPath = readonly (string | typeof EVERY)[];

const EVERY = Symbol('every item');
const STEPS_MAX = 32;

/** Null for a text that is no path. The empty text is the document itself. */
export function parseJsonPath(text: string): JsonPath | null {
  const steps: (string | typeof EVERY)[] = [];
  for (const name of text === '' ? [] : text.split('.')) {
    const parts = /^([^[\]]*)((?:\[\*\])*)$/.exec(name);
    if (parts === null || name === '') return null;
    if (parts[1] !== '') steps.push(parts[1]);
    for (let every = 0; every < parts[2].length / 3; every++) steps.push(EVERY);
  }
  return steps.length <= STEPS_MAX ? steps : null;
}

/** All that the path leads to; nothing where a step leads nowhere. */
export function valuesAt(document: unknown, path: JsonPath): readonly unknown[] {
  let values: unknown[] = [document];
  for (const step of path) {
    const next: unknown[] = [];
    for (const value of values) {
      if (step !== EVERY) {
        if (isObject(value) && Object.hasOwn(value, step)) next.push(value[step]);
      } else if (Array.isArray(value)) for (const item of value) next.push(item);
      else if (isObject(value)) for (const item of Object.values(value)) next.push(item);
    }
    values = next;
  }
  return values;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
