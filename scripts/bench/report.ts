import { type Row, SLUICE } from './section.ts';
import { format, formatRatio, median } from './statistics.ts';

/**
 * A Markdown table of medians, and how many times Sluice's figure the others have. A figure that
 * nothing was measured for is a dash. Empty when there are no rows.
 */
export function renderReport(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const names = [...new Set(rows.flatMap(({ samples }) => Object.keys(samples)))];
  const others = names.filter((name) => name !== SLUICE);
  const header = ['', ...names, ...others.map((name) => `${name} / ${SLUICE}`)];
  const lines = rows.map(({ title, unit, samples }) => {
    const medians = names.map((name) => median(samples[name] ?? []));
    const own = median(samples[SLUICE] ?? []);
    const ratios = others.map((name) => {
      const other = median(samples[name] ?? []);
      return other === null || !own ? '' : `${formatRatio(other / own)}×`;
    });
    return [
      `${title} (${unit})`,
      ...medians.map((value) => (value === null ? '–' : format(value))),
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
