/**
 * Work in pieces of a millisecond or so: whoever runs it may do something else between two of them,
 * as long as nothing changes that it reads.
 */
export type Steps<Value> = Generator<void, Value>;

/** Runs it to its end without a break. */
export function atOnce<Value>(steps: Steps<Value>): Value {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same function without breaks. */
export function withoutBreaks<Arguments extends readonly unknown[], Value>(
  inSteps: (...given: Arguments) => Steps<Value>,
): (...given: Arguments) => Value {
  return (...given) => atOnce(inSteps(...given));
}
