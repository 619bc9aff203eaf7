import { ModelError, type ModelErrorCode, type Refusal } from '../../policy/model-error.ts';

/** Input of an edit before it is checked: from JSON, YAML or a form. */
export type Input = Readonly<Record<string, unknown>>;

interface Otherwise<Value> {
  /** What an absent field means; without it the field is required. */
  readonly otherwise?: Value;
}
interface TextRule extends Otherwise<string> {
  readonly min?: number;
  readonly max: number;
}
interface IntegerRule extends Otherwise<number> {
  readonly min: number;
  readonly max: number;
}
interface TextsRule extends Otherwise<readonly string[]> {
  readonly itemsMax: number;
  readonly lengthMax: number;
}

/**
 * Reads the fields of untrusted input one by one and collects every refusal, so that a person sees
 * all that is wrong at once. Reading a bad field gives its default (or an empty value), which is
 * never used: `close` throws when anything was refused, also fields that nobody read.
 */
export interface Fields {
  /** Whether the input has the field, whatever its value. */
  has(key: string): boolean;
  /** The raw value, for readers with rules of their own; undefined when absent. */
  raw(key: string): unknown;
  path(key: string): string;
  text(key: string, rule: TextRule): string;
  integer(key: string, rule: IntegerRule): number;
  flag(key: string, rule: Otherwise<boolean>): boolean;
  choice<Choice extends string>(
    key: string,
    choices: readonly Choice[],
    rule: Otherwise<Choice>,
  ): Choice;
  /** A list of short texts, trimmed, without duplicates. */
  texts(key: string, rule: TextsRule): readonly string[];
  /** The raw items of a list. */
  items(
    key: string,
    rule: Otherwise<readonly unknown[]> & { itemsMax: number },
  ): readonly unknown[];
  /** An object inside; an absent one reads like an empty one. `value` stands in for what the input has. */
  inside(key: string, value?: unknown): Fields;
  /** Fields of one item of a list that was read with `items`. */
  item(key: string, index: number, value: unknown): Fields;
  refuse(code: ModelErrorCode, key: string, rule: string): void;
  /** Takes over what another reader or check refused. */
  adopt(refusals: readonly Refusal[]): void;
  /** Whether nothing was refused so far. */
  clean(): boolean;
  /** Throws a ModelError with all refusals, those of the fields inside included. */
  close(): void;
}

/** Opens the input of one edit. `path` stands before the field names in refusals. */
export function openFields(input: unknown, path = ''): Fields {
  return readFields(input, path, { refusals: [], unread: [] });
}

/** The refusals of `check`, or none: for checks that throw, used among those that collect. */
export function refusalsOf(check: () => void): readonly Refusal[] {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof ModelError) return error.refusals;
    throw error;
  }
}

/** What the readers of one input share. */
interface Reading {
  readonly refusals: Refusal[];
  /** One check per reader, run at the end, that refuses the fields nobody read. */
  readonly unread: (() => void)[];
}

function readFields(input: unknown, path: string, reading: Reading): Fields {
  const values = isInput(input) ? input : {};
  const read = new Set<string>();
  const pathOf = (key: string): string => (path === '' ? key : `${path}.${key}`);
  const refuseAt = (code: ModelErrorCode, field: string, value: unknown, rule: string): void => {
    reading.refusals.push({ code, field, value, rule });
  };
  const take = (key: string): unknown => {
    read.add(key);
    return Object.hasOwn(values, key) ? values[key] : undefined;
  };
  const readOne = <Value>(
    key: string,
    rule: Otherwise<Value> & { readonly empty: Value },
    accept: (value: unknown) => Accepted<Value>,
  ): Value => {
    const raw = take(key);
    const fallback = rule.otherwise ?? rule.empty;
    if (raw === undefined) {
      if (rule.otherwise === undefined) {
        refuseAt('field-missing', pathOf(key), null, 'The field is required.');
      }
      return fallback;
    }
    const accepted = accept(raw);
    if ('value' in accepted) return accepted.value;
    refuseAt(accepted.code, pathOf(key), raw, accepted.rule);
    return fallback;
  };

  if (!isInput(input)) refuseAt('field-type', path, input, 'The value is an object.');
  reading.unread.push(() => {
    for (const key of Object.keys(values)) {
      if (read.has(key)) continue;
      refuseAt('field-unknown', pathOf(key), values[key], 'The field does not exist here.');
    }
  });
  return {
    has: (key) => Object.hasOwn(values, key) && values[key] !== undefined,
    raw: take,
    path: pathOf,
    text: (key, rule) => readOne(key, { empty: '', ...rule }, (raw) => acceptText(raw, rule)),
    integer: (key, rule) =>
      readOne(key, { empty: rule.min, ...rule }, (raw) => acceptInteger(raw, rule)),
    flag: (key, rule) => readOne(key, { empty: false, ...rule }, acceptFlag),
    choice: (key, choices, rule) =>
      readOne(key, { empty: choices[0]!, ...rule }, (raw) => acceptChoice(raw, choices)),
    texts: (key, rule) => readOne(key, { empty: [], ...rule }, (raw) => acceptTexts(raw, rule)),
    items: (key, rule) =>
      readOne(key, { empty: [], ...rule }, (raw) => acceptItems(raw, rule.itemsMax)),
    inside: (key, value) => readFields(value ?? take(key) ?? {}, pathOf(key), reading),
    item: (key, index, value) => readFields(value, `${pathOf(key)}[${index}]`, reading),
    refuse: (code, key, rule) => refuseAt(code, pathOf(key), take(key) ?? null, rule),
    adopt: (refusals) => {
      reading.refusals.push(...refusals);
    },
    clean: () => reading.refusals.length === 0,
    close: () => {
      for (const check of reading.unread.splice(0)) check();
      const [first, ...others] = reading.refusals;
      if (first !== undefined) throw new ModelError(first.code, first, others);
    },
  };
}

function isInput(value: unknown): value is Input {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Accepted<Value> = { value: Value } | { code: ModelErrorCode; rule: string };

/** C0 and C1 control characters, which break logs, text exports and terminals. */
const CONTROL = /\p{Cc}/u;

function acceptText(value: unknown, rule: TextRule): Accepted<string> {
  if (typeof value !== 'string') return { code: 'field-type', rule: 'The value is a text.' };
  const text = value.trim();
  const min = rule.min ?? 0;
  if (text.length < min || text.length > rule.max) {
    return {
      code: 'invalid-value',
      rule: `The text has ${min} to ${rule.max} characters.`,
    };
  }
  if (CONTROL.test(text.replaceAll('\n', ' '))) {
    return { code: 'invalid-value', rule: 'The text holds no control characters.' };
  }
  return { value: text };
}

function acceptInteger(value: unknown, rule: IntegerRule): Accepted<number> {
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    return { code: 'field-type', rule: 'The value is a whole number.' };
  }
  if (value < rule.min || value > rule.max) {
    return { code: 'invalid-value', rule: `The number is from ${rule.min} to ${rule.max}.` };
  }
  return { value };
}

function acceptFlag(value: unknown): Accepted<boolean> {
  if (typeof value === 'boolean') return { value };
  return { code: 'field-type', rule: 'The value is true or false.' };
}

function acceptChoice<Choice extends string>(
  value: unknown,
  choices: readonly Choice[],
): Accepted<Choice> {
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return { value: choice };
  const code = typeof value === 'string' ? 'invalid-value' : 'field-type';
  return { code, rule: `The value is one of ${choices.join(', ')}.` };
}

function acceptItems(value: unknown, itemsMax: number): Accepted<readonly unknown[]> {
  if (!Array.isArray(value)) return { code: 'field-type', rule: 'The value is a list.' };
  if (value.length > itemsMax) {
    return { code: 'invalid-value', rule: `The list has at most ${itemsMax} items.` };
  }
  return { value };
}

function acceptTexts(value: unknown, rule: TextsRule): Accepted<readonly string[]> {
  const items = acceptItems(value, rule.itemsMax);
  if (!('value' in items)) return items;
  const texts = new Set<string>();
  for (const item of items.value) {
    const text = acceptText(item, { min: 1, max: rule.lengthMax });
    if (!('value' in text)) return { ...text, rule: `Each item: ${text.rule}` };
    texts.add(text.value);
  }
  return { value: [...texts] };
}
