import { type JudgedAim, judgeAims } from './aims.ts';
import type { Machine } from './machine.ts';
import { renderReport, renderTable } from './report.ts';
import type { Results, SectionResult } from './results.ts';
import { format } from './statistics.ts';

/** Where the plots lie, seen from the report. */
export const PLOTS_FOLDER = 'plots';

/** The whole report, in Markdown: all of it follows from the figures. */
export function renderResults(results: Results): string {
  const sections = Object.values(results);
  return [
    '# Results',
    '',
    'Written by `npm run bench` from `results.json`: see the [README](README.md). Servers take turns',
    'within each round; figures are medians. Quote the ratios: the times belong to the machine.',
    '',
    ...machinesOf(sections).map(renderMachine),
    '',
    '## Aims',
    '',
    renderAims(
      sections.flatMap(({ title, rows }) => judgeAims(rows).map((aim) => ({ title, aim }))),
    ),
    '',
    ...sections.flatMap(renderSection),
  ].join('\n');
}

function renderSection(section: SectionResult): string[] {
  const { title, command, commit, date, rounds, seconds, text, rows, plots = [] } = section;
  const others = ((section.othersShare ?? 0) * 100).toFixed(0);
  const limits = rows.filter(({ limit }) => limit !== undefined);
  return [
    `## ${title}`,
    '',
    text,
    '',
    `\`${command}\` at ${commit}, ${date}, ${rounds} rounds, ${Math.round(seconds)} s; others took ${others} % of the processors meanwhile.`,
    '',
    renderReport(rows),
    '',
    ...limits.map((row) => `- **${row.title}**: ${row.limit}`),
    ...(limits.length > 0 ? [''] : []),
    ...plots.flatMap(({ name, title }) => [`![${title}](${PLOTS_FOLDER}/${name}.svg)`, '']),
  ];
}

function renderAims(aims: readonly { readonly title: string; readonly aim: JudgedAim }[]): string {
  const lines = aims.map(({ title, aim: { row, aim, measured, isMet } }) => [
    title,
    row,
    aim.text,
    measured === null ? '–' : format(measured),
    isMet === null ? 'not measured' : isMet ? 'met' : '**not met**',
  ]);
  return renderTable([['section', 'row', 'aim', 'measured', ''], ...lines]);
}

/** Each machine once: as a rule there is one. */
function machinesOf(sections: readonly SectionResult[]): Machine[] {
  const known = new Map(sections.map(({ machine }) => [JSON.stringify(machine), machine]));
  return [...known.values()];
}

function renderMachine({ processor, cores, memoryGb, kernel, node, versions }: Machine): string {
  const servers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${processor}, ${cores} cores, ${memoryGb} GB, ${kernel}; Node ${node}, ${servers.join(', ')}.`;
}
