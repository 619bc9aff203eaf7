import {
  fileKey,
  type List,
  type PlainValue,
  type Scalar,
  type Section,
  type Shape,
} from './shape.ts';

const COLUMNS_MAX = 96;

const INTRODUCTION = `\
# Sluice's configuration: every setting, with its rule and its default.
#
# All of it may be left out. A key with a # directly before it shows its default: to change it,
# remove that # (for a list also those of the lines below it), nothing else, and write the new
# value. A wrong file is refused with every problem at once; so is a key that is not listed here.
#
# npm start -- --config config/sluice.yaml
# SLUICE_CONFIG=config/sluice.yaml npm start
#
# This file is derived from src/config/settings.ts; test/config/sample-file.test.ts holds it there.
`;

/** The text of config/sluice.yaml: each setting of the table, explained, its default commented in place. */
export function renderSampleFile(settings: Section): string {
  return `${INTRODUCTION}\n${renderFields(settings, 0)}\n`;
}

function renderFields({ fields }: Section, depth: number): string {
  return Object.entries(fields)
    .map(([property, shape]) => renderField(fileKey(property, shape), shape, depth))
    .join('\n\n');
}

function renderField(key: string, shape: Shape, depth: number): string {
  const indent = '  '.repeat(depth);
  if (shape.shape === 'section') {
    const about = shape.description === '' ? [] : comment(shape.description, indent);
    return [...about, `${indent}${key}:`, renderFields(shape, depth + 1)].join('\n');
  }
  const about = [...comment(shape.description, indent), ...comment(ruleOf(shape), indent)];
  return [...about, ...renderDefault(key, shape, indent)].join('\n');
}

function ruleOf(shape: Scalar<unknown> | List): string {
  const rule = shape.shape === 'scalar' ? shape.kind.rule : listRule(shape);
  return `${rule[0].toUpperCase()}${rule.slice(1)}.`;
}

function listRule({ item, itemsMin, itemsMax }: List): string {
  const items = `a list of ${itemsMin}-${itemsMax} items`;
  if (item.shape !== 'section') return items;
  const parts = Object.entries(item.fields).map(([property, field]) =>
    field.shape === 'scalar' ? `${fileKey(property, field)} is ${field.kind.rule}` : property,
  );
  return `${items}: ${parts.join(', ')}`;
}

function renderDefault(key: string, shape: Scalar<unknown> | List, indent: string): string[] {
  const value = shape.shape === 'list' ? shape.fallback : defaultText(shape);
  return renderPlain(key, value ?? '').map((line) => `${indent}#${line}`);
}

function defaultText({ presence }: Scalar<unknown>): PlainValue | null {
  return presence.kind === 'default' ? presence.text : null;
}

/** Lists of groups of texts, and texts: what the table has for defaults. */
function renderPlain(key: string, value: PlainValue): string[] {
  if (!Array.isArray(value)) return [`${key}: ${String(value)}`];
  if (value.length === 0) return [`${key}: []`];
  if (value.length === 0) return [`${key}: []`];
  const items = value.flatMap((item) =>
    Object.entries(item).map(
      ([name, text], index) => `  ${index === 0 ? '-' : ' '} ${name}: ${text}`,
    ),
  );
  return [`${key}:`, ...items];
}

/** Comment lines of whole words, none longer than the page is wide. */
function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && indent.length + 2 + longer.length > COLUMNS_MAX) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line].map((words) => `${indent}# ${words}`);
}
