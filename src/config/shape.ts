/**
 * What a file may hold. A table of shapes is the only description of a file: its TypeScript type,
 * its defaults, its checks and its documentation are all derived from it.
 */
export type Shape = Scalar<unknown> | List | Section;

/** What reading one value gave; `why` says more than that the rule is broken. */
export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly why?: string };

/** Units that loaded values are counted in. In the file the unit stands with the value instead. */
type UnitSuffix = '' | 'Ms' | 'Seconds' | 'Octets';

/** A kind of single values: how they are written and what they must be. */
export interface ValueKind<Value> {
  /** Completes "99999 is not …". */
  readonly rule: string;
  readonly unitSuffix: UnitSuffix;
  parse(text: string): Parsed<Value>;
}

export interface Scalar<Value> {
  readonly shape: 'scalar';
  readonly kind: ValueKind<Value>;
  /** `default` as it would be written in the file. An `optional` value that is not given is null. */
  readonly presence:
    | { readonly kind: 'default'; readonly text: string }
    | { readonly kind: 'required' }
    | { readonly kind: 'optional' };
  readonly description: string;
}

export interface List<Item extends Shape = Shape> {
  readonly shape: 'list';
  readonly item: Item;
  readonly itemsMin: number;
  readonly itemsMax: number;
  /** As it would be written in the file; null when the list must be given. */
  readonly fallback: readonly PlainValue[] | null;
  readonly description: string;
}

export type Fields = Readonly<Record<string, Shape>>;

export interface Section<Known extends Fields = Fields> {
  readonly shape: 'section';
  readonly fields: Known;
  readonly description: string;
}

/** A default value, every scalar as text. */
export type PlainValue = string | readonly PlainValue[] | { readonly [key: string]: PlainValue };

/** The type of what a shape loads. */
export type ValueOf<Known> =
  Known extends Scalar<infer Value>
    ? Value
    : Known extends List<infer Item>
      ? readonly ValueOf<Item>[]
      : Known extends Section<infer Inner>
        ? { readonly [Field in keyof Inner]: ValueOf<Inner[Field]> }
        : never;

/** A setting that has the value `text` when the file does not name it. */
export function setting<Value>(
  kind: ValueKind<Value>,
  text: string,
  description: string,
): Scalar<Value> {
  return { shape: 'scalar', kind, presence: { kind: 'default', text }, description };
}

/** A value that must be given. */
export function required<Value>(kind: ValueKind<Value>, description = ''): Scalar<Value> {
  return { shape: 'scalar', kind, presence: { kind: 'required' }, description };
}

/** A value that is null when it is not given. */
export function optional<Value>(kind: ValueKind<Value>, description = ''): Scalar<Value | null> {
  return { shape: 'scalar', kind, presence: { kind: 'optional' }, description };
}

export function section<Known extends Fields>(description: string, fields: Known): Section<Known> {
  return { shape: 'section', fields, description };
}

export function listOf<Item extends Shape>(
  item: Item,
  options: {
    readonly itemsMin?: number;
    readonly itemsMax: number;
    readonly fallback: readonly PlainValue[] | null;
    readonly description: string;
  },
): List<Item> {
  return { shape: 'list', item, itemsMin: 0, ...options };
}

/**
 * The key of a property in a file: `idleTimeoutMs` is written `idleTimeout: 10s`, because there the
 * unit stands with the value.
 */
export function fileKey(property: string, shape: Shape): string {
  const suffix = shape.shape === 'scalar' ? shape.kind.unitSuffix : '';
  if (!property.endsWith(suffix)) {
    throw new Error(`The name of the setting ${property} must end with its unit, ${suffix}`);
  }
  return property.slice(0, property.length - suffix.length);
}
