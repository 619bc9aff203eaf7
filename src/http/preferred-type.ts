/**
 * The media type of `offered` that an Accept header wants most (RFC 9110 section 12.5.1); the first of
 * them where the header says nothing of any: it may be disregarded then.
 */
export function preferredType<Offered extends string>(
  accept: string | undefined,
  offered: readonly [Offered, ...Offered[]],
): Offered {
  const ranges = (accept ?? '*/*').toLowerCase().split(',').map(readRange);
  const weightOf = (type: string): number => {
    const [main] = type.split('/');
    // The most specific range that fits counts, whatever its weight.
    for (const wanted of [type, `${main}/*`, '*/*']) {
      const range = ranges.find((candidate) => candidate.type === wanted);
      if (range !== undefined) return range.weight;
    }
    return 0;
  };
  return offered.reduce((best, type) => (weightOf(type) > weightOf(best) ? type : best));
}

function readRange(text: string): { readonly type: string; readonly weight: number } {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = quality === undefined ? 1 : Number(quality.slice(2));
  return { type, weight: Number.isFinite(weight) ? weight : 0 };
}
