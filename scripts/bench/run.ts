import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judgeAims } from './aims.ts';
import { startDrainer } from './drain/start-drainer.ts';
import { currentCommit, describeMachine, sourceVersion } from './machine.ts';
import { watchProcessors } from './processor-watch.ts';
import { PLOTS_FOLDER, renderResults } from './render-results.ts';
import { renderReport } from './report.ts';
import { mergeResult, readResults, type SectionResult, writeResults } from './results.ts';
import type { BenchContext, Section } from './section.ts';
import { SECTIONS } from './sections/index.ts';
import { format } from './statistics.ts';
import { openStock } from './stock.ts';
import { renderPlot } from './svg-plot.ts';

/**
 * The benchmark: runs the sections that are asked for, puts their figures in the place of earlier ones
 * in a file of results, and writes the report and the plots from that file.
 */
const { values } = parseArgs({
  options: {
    sections: { type: 'string', default: SECTIONS.map(({ name }) => name).join(',') },
    rules: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    results: { type: 'string', default: fileURLToPath(new URL('results.json', import.meta.url)) },
    stock: { type: 'string' },
  },
});
const RULES = Number(values.rules);
const ROUNDS = Number(values.rounds);
const NAMES = SECTIONS.map(({ name }) => name);

// Each server ends with us.
process.setMaxListeners(64);
const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const drainer = startDrainer();
const stock = openStock(values.stock ?? join(folder, 'stock'), sourceVersion(), say);
try {
  for (const name of values.sections.split(',').filter(Boolean)) await runSection(sectionOf(name));
  render();
} finally {
  await drainer.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function runSection(section: Section): Promise<void> {
  say(`== ${section.name}`);
  const commit = currentCommit();
  const started = performance.now();
  const othersShare = watchProcessors();
  const figures = await section.run(contextOf(section));
  const result: SectionResult = {
    title: section.title,
    command: `npm run bench -- --sections ${section.name} --rules ${RULES} --rounds ${ROUNDS}`,
    commit,
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    rules: RULES,
    rounds: ROUNDS,
    seconds: (performance.now() - started) / 1000,
    othersShare: othersShare(),
    machine: describeMachine(),
    ...figures,
  };
  // Read anew, and written after each section: what was measured stays when a later one fails.
  const results = readResults(values.results);
  writeResults(values.results, mergeResult(results, section.name, result, NAMES));
  process.stdout.write(`${renderReport(figures.rows)}\n`);
  for (const { row, aim, measured, isMet } of judgeAims(figures.rows)) {
    const verdict = isMet === null ? 'not measured' : isMet ? 'met' : 'NOT MET';
    process.stdout.write(`${row}: ${aim.text}: ${measured && format(measured)}, ${verdict}\n`);
  }
}

function contextOf(section: Section): BenchContext {
  const home = join(folder, section.name);
  return {
    rules: RULES,
    rounds: ROUNDS,
    drainer,
    say,
    stock,
    folder(name) {
      mkdirSync(join(home, name), { recursive: true });
      return join(home, name);
    },
  };
}

/** Writes the report and the plots beside the results. */
function render(): void {
  const home = dirname(values.results);
  const results = readResults(values.results);
  writeFileSync(join(home, 'RESULTS.md'), renderResults(results));
  mkdirSync(join(home, PLOTS_FOLDER), { recursive: true });
  for (const plot of Object.values(results).flatMap(({ plots = [] }) => plots)) {
    writeFileSync(join(home, PLOTS_FOLDER, `${plot.name}.svg`), renderPlot(plot));
  }
}

function sectionOf(name: string): Section {
  const section = SECTIONS.find((known) => known.name === name);
  if (section === undefined) throw new Error(`--sections: ${name} is none of ${NAMES.join(', ')}`);
  return section;
}

function say(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}
