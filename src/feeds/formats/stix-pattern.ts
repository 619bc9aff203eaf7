/** One thing that a pattern matches by itself. */
export interface StixValue {
  readonly object: 'ipv4-addr' | 'ipv6-addr' | 'domain-name';
  readonly value: string;
}

/** Patterns that name more are lists of their own; also what keeps a hostile one short. */
const PATTERN_CHARACTERS_MAX = 16_384;
const VALUES_MAX = 1000;

/**
 * The values of a STIX 2.1 pattern (section 9) that each match by themselves: comparisons of the
 * value of an address or a name by `=`, `IN` or (addresses) `ISSUBSET`, joined by OR, inside of an
 * observation or between several. Null for every other pattern: with AND, NOT, FOLLOWEDBY or a
 * qualifier one value alone is no match, and blocking it would be another rule.
 */
export function readStixPattern(pattern: string): readonly StixValue[] | null {
  if (pattern.length > PATTERN_CHARACTERS_MAX) return null;
  const tokens = pattern.match(TOKENS) ?? [];
  const values: StixValue[] = [];
  let at = 0;
  const take = (word: string): boolean => {
    if (tokens[at]?.toUpperCase() !== word) return false;
    at++;
    return true;
  };
  const comparison = (): boolean => {
    const object = OBJECTS.get(tokens[at++] ?? '');
    const operator = (tokens[at++] ?? '').toUpperCase();
    if (object === undefined) return false;
    const texts = operator === 'IN' ? stringSet() : [stringValue(tokens[at++])];
    const isKnown = operator === '=' || operator === '==' || operator === 'IN';
    if (!isKnown && !(operator === 'ISSUBSET' && object !== 'domain-name')) return false;
    for (const value of texts ?? [null]) {
      if (value === null || values.length === VALUES_MAX) return false;
      values.push({ object, value });
    }
    return true;
  };
  const stringSet = (): (string | null)[] | null => {
    if (!take('(')) return null;
    const texts = [stringValue(tokens[at++])];
    while (take(',')) texts.push(stringValue(tokens[at++]));
    return take(')') ? texts : null;
  };
  /** Parentheses may stand around comparisons and around observations. */
  const anyOf = (item: () => boolean, depth: number): boolean => {
    do {
      const isGroup = depth < DEPTH_MAX && take('(');
      if (isGroup ? !(anyOf(item, depth + 1) && take(')')) : !item()) return false;
    } while (take('OR'));
    return true;
  };
  const observation = (): boolean => take('[') && anyOf(comparison, 0) && take(']');
  return anyOf(observation, 0) && at === tokens.length ? values : null;
}

const DEPTH_MAX = 16;

/**
 * Strings with their escapes, brackets, operators, and words with the path of an object. A string
 * that is not closed takes the rest, so that no pattern is gone through more than once.
 */
const TOKENS = /'(?:[^'\\]|\\[\s\S])*'?|[[\](),]|==?|[^\s'[\](),=]+/g;

const OBJECTS: ReadonlyMap<string, StixValue['object']> = new Map([
  ['ipv4-addr:value', 'ipv4-addr'],
  ['ipv6-addr:value', 'ipv6-addr'],
  ['domain-name:value', 'domain-name'],
]);

/** Section 9.1: a quotation mark and a backslash are escaped by a backslash. */
function stringValue(token: string | undefined): string | null {
  if (token === undefined || !/^'(?:[^'\\]|\\[\s\S])*'$/.test(token)) return null;
  return token.slice(1, -1).replace(/\\([\s\S])/g, '$1');
}
