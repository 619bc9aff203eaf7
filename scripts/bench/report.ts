/** One measured thing: samples per server. */
export interface Row {
  readonly title: string;
  readonly unit: string;
  readonly samples: Readonly<Record<string, readonly number[]>>;
}

/** A Markdown table of medians, and how many times Sluice's figure the others need. */
export function renderReport(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap(({ samples }) => Object.keys(samples)))];
  const others = names.filter((name) => name !== 'Sluice');
  const header = ['', ...names, ...others.map((name) => `${name} / Sluice`)];
  const lines = rows.map(({ title, unit, samples }) => {
    const medians = names.map((name) => median(samples[name] ?? []));
    const own = median(samples.Sluice ?? []);
    const ratios = others.map((name) => {
      const other = median(samples[name] ?? []);
      return other === null || own === null ? '' : `${(other / own).toFixed(1)}×`;
    });
    return [
      `${title} (${unit})`,
      ...medians.map((value) => (value === null ? '' : format(value))),
      ...ratios,
    ];
  });
  return renderTable([header, ...lines]);
}

/** A Markdown table; the first row is its head. */
export function renderTable([head, ...rows]: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** The sample that so large a share of all lies at or below; null when there are none. */
export function percentile(samples: ArrayLike<number>, share: number): number | null {
  if (samples.length === 0) return null;
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

export function median(samples: readonly number[]): number | null {
  if (samples.length === 0) return null;
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Three digits or more, whatever the size. */
export function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}
