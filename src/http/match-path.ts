/** A path that one of several patterns fits, with what stands where the pattern has names. */
export interface PathMatch {
  readonly index: number;
  readonly params: Record<string, string>;
}

/** Far above every path of the API. */
const PATH_CHARACTERS_MAX = 2_048;

/**
 * Finds the pattern that fits a path, such as `/policies/:id`. Every segment must be there: literal
 * ones to the letter, and something, percent-encoding undone, where the pattern has a name. Where
 * several fit, the one whose first different segment is literal is taken, as the server's router does.
 */
export function matchPath(path: string, patterns: readonly string[]): PathMatch | null {
  if (!path.startsWith('/') || path.length > PATH_CHARACTERS_MAX) return null;
  const segments = path.slice(1).split('/');
  let best: (PathMatch & { readonly rank: string }) | null = null;
  for (const [index, pattern] of patterns.entries()) {
    const match = matchPattern(segments, pattern.slice(1).split('/'));
    if (match === null || (best !== null && best.rank <= match.rank)) continue;
    best = { index, ...match };
  }
  return best && { index: best.index, params: best.params };
}

/** `rank` has 0 for each literal segment and 1 for each name. */
function matchPattern(
  segments: readonly string[],
  pattern: readonly string[],
): { readonly params: Record<string, string>; readonly rank: string } | null {
  if (segments.length !== pattern.length) return null;
  const params: Record<string, string> = {};
  let rank = '';
  for (const [at, wanted] of pattern.entries()) {
    const segment = segments[at]!;
    if (!wanted.startsWith(':')) {
      if (segment !== wanted) return null;
      rank += '0';
      continue;
    }
    const value = decoded(segment);
    if (value === null || value === '') return null;
    params[wanted.slice(1)] = value;
    rank += '1';
  }
  return { params, rank };
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
