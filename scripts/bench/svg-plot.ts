import type { Axis, Plot, PlotPoint } from './section.ts';

const WIDTH = 720;
const HEIGHT = 440;
const LEFT = 78;
const RIGHT = 120;
const TOP = 44;
const BOTTOM = 56;
const LABEL_GAP = 15;
const TICKS = 5;

/** Told apart on a white and on a black ground; a server has the same one in every plot. */
const COLOURS: Readonly<Record<string, string>> = {
  Sluice: '#d6336c',
  BIND: '#3b82c4',
  Knot: '#c77d0a',
  NSD: '#2f9e5f',
  PowerDNS: '#8b6fd6',
};
const OTHER_COLOURS = ['#7a8794', '#00a3a3', '#b0734b'];

/** Places a value of an axis on the picture. */
type Scale = (value: number) => number;

/** A line plot as an SVG picture, readable on light and dark pages. */
export function renderPlot(plot: Plot): string {
  const points = Object.values(plot.lines).flat();
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const xTicks = ticksOf(plot.x, xs);
  const yTicks = ticksOf(plot.y, ys);
  const x = scaleOf(plot.x, [...xs, ...xTicks], LEFT, WIDTH - RIGHT);
  const y = scaleOf(plot.y, [...ys, ...yTicks], HEIGHT - BOTTOM, TOP);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>${escapeText(plot.title)}</title>`,
    '<style>text{fill:#222}.ground{fill:#fff}.grid{stroke:#ddd}',
    '@media (prefers-color-scheme:dark){text{fill:#ddd}.ground{fill:#14171a}.grid{stroke:#3a3f44}}</style>',
    `<rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>`,
    `<text x="${LEFT}" y="24" font-size="15" font-weight="bold">${escapeText(plot.title)}</text>`,
    ...xTicks.map((value) => xTick(x(value), value)),
    ...yTicks.map((value) => yTick(y(value), value)),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escapeText(plot.x.label)}</text>`,
    `<text transform="translate(18 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escapeText(plot.y.label)}</text>`,
    ...renderLines(plot, x, y),
    '</svg>\n',
  ].join('\n');
}

function renderLines(plot: Plot, x: Scale, y: Scale): string[] {
  const lines = Object.entries(plot.lines).filter(([, points]) => points.length > 0);
  const labels = spreadLabels(lines.map(([, points]) => y(points[points.length - 1].y)));
  return lines.flatMap(([name, points], index) => {
    const colour = COLOURS[name] ?? OTHER_COLOURS[index % OTHER_COLOURS.length];
    const at = points.map((point: PlotPoint) => ({ x: round(x(point.x)), y: round(y(point.y)) }));
    const path = at.map((point) => `${point.x},${point.y}`).join(' ');
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...at.map((point) => `<circle cx="${point.x}" cy="${point.y}" r="3.5" fill="${colour}"/>`),
      `<text x="${WIDTH - RIGHT + 10}" y="${round(labels[index] + 4)}" style="fill:${colour}">${escapeText(name)}</text>`,
    ];
  });
}

/** Moves labels apart that would lie on one another; their order stays. */
function spreadLabels(wanted: readonly number[]): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a] - wanted[b]);
  const placed: number[] = [];
  let above = -Infinity;
  for (const index of order) {
    above = Math.max(wanted[index], above + LABEL_GAP);
    placed[index] = above;
  }
  return placed;
}

function xTick(at: number, value: number): string {
  const bottom = HEIGHT - BOTTOM;
  return `<line class="grid" x1="${round(at)}" y1="${TOP}" x2="${round(at)}" y2="${bottom}"/><text x="${round(at)}" y="${bottom + 18}" text-anchor="middle">${shortNumber(value)}</text>`;
}

function yTick(at: number, value: number): string {
  return `<line class="grid" x1="${LEFT}" y1="${round(at)}" x2="${WIDTH - RIGHT}" y2="${round(at)}"/><text x="${LEFT - 8}" y="${round(at + 4)}" text-anchor="end">${shortNumber(value)}</text>`;
}

function scaleOf({ scale }: Axis, values: readonly number[], from: number, to: number): Scale {
  const project = scale === 'log' ? Math.log10 : (value: number) => value;
  const low = project(Math.min(...values));
  const high = project(Math.max(...values));
  const span = high - low || 1;
  return (value) => from + ((project(value) - low) / span) * (to - from);
}

/** Powers of ten around the values, or round steps from nought. */
function ticksOf({ scale }: Axis, values: readonly number[]): number[] {
  const high = Math.max(...values);
  if (scale === 'log') {
    const first = Math.floor(Math.log10(Math.min(...values)));
    const last = Math.ceil(Math.log10(high));
    return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
  }
  const rough = high / TICKS || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  return Array.from({ length: Math.ceil(high / step) + 1 }, (_, index) => index * step);
}

function shortNumber(value: number): string {
  if (value >= 1e6) return `${round(value / 1e6)}M`;
  if (value >= 1e3) return `${round(value / 1e3)}k`;
  return String(Number(value.toPrecision(3)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
