declare const brand: unique symbol;

/** A type that the compiler keeps apart from its base: a `Serial` is never just a number. */
export type Brand<Base, Label extends string> = Base & { readonly [brand]: Label };
