import type { FeedContent, ParseFeedOptions } from '../feed-content.ts';
import { visitCsvRecords } from './csv-records.ts';
import { createFeedDraft, type FeedDraft } from './feed-draft.ts';
import { readComment } from './feed-facts.ts';
import { countLines } from './feed-lines.ts';
import { parseJsonDocument } from './json-document.ts';
import { isObject } from './json-path.ts';
import { addTypedValue } from './typed-value.ts';

/**
 * An export of MISP's attributes as JSON: what `/attributes/restSearch` returns, events with their
 * attributes and objects, or a list of either; `lines` counts attributes. Those that are not meant
 * for detection (`to_ids`) or deleted are left out.
 */
export function readMispJson(octets: Uint8Array, options: ParseFeedOptions): FeedContent {
  const draft = createFeedDraft(octets, options, 'bare');
  const document = parseJsonDocument(octets, options.checkpoint);
  if (!document.ok) {
    return draft.finish({ detected: 'misp-json', lines: 0, unreadable: document.unreadable });
  }
  let lines = 0;
  const isMisp = visitAttributes(document.value, (attribute) =>
    addAttribute(draft, ++lines, attribute),
  );
  const text = 'neither Attribute nor Event';
  return draft.finish({
    detected: 'misp-json',
    lines,
    ...(isMisp ? {} : { unreadable: { reason: 'no-list', text } }),
  });
}

/** The same as CSV; the columns have MISP's own names. */
export function readMispCsv(octets: Uint8Array, options: ParseFeedOptions): FeedContent {
  const draft = createFeedDraft(octets, options, 'bare');
  let names: readonly string[] | null = null;
  visitCsvRecords(
    octets,
    { separator: ',', commentPrefix: '' },
    ({ fields, line }) => {
      if (names === null) {
        names = fields.map((name) => name.trim().toLowerCase());
        return;
      }
      const attribute = Object.fromEntries(names.map((name, index) => [name, fields[index]]));
      addAttribute(draft, line, attribute);
    },
    (place) => draft.reject(place.line, place, 'bad-quotes'),
  );
  const missing = ['type', 'value'].find((name) => !(names ?? []).includes(name));
  return draft.finish({
    detected: 'misp-csv',
    lines: countLines(octets),
    ...(missing === undefined ? {} : { unreadable: { reason: 'no-column', text: missing } }),
  });
}

type Attribute = Readonly<Record<string, unknown>>;

/** Where attributes can stand, and how deep: response, Event, Object, Attribute, with lists between. */
const CONTAINERS = ['response', 'Event', 'Object', 'Attribute'] as const;
const DEPTH_MAX = 12;

/** Whether the document has any of the places where attributes stand. */
function visitAttributes(document: unknown, visit: (attribute: Attribute) => void): boolean {
  let isMisp = false;
  const enter = (value: unknown, isAttribute: boolean, depth: number): void => {
    if (depth > DEPTH_MAX) return;
    if (Array.isArray(value)) {
      // An empty list of attributes is an export with nothing in it.
      if (isAttribute) isMisp = true;
      for (const item of value) enter(item, isAttribute || isBareAttribute(item), depth + 1);
    } else if (isObject(value)) {
      if (isAttribute) visit(value);
      isMisp ||= isAttribute;
      for (const name of CONTAINERS) {
        if (!Object.hasOwn(value, name)) continue;
        isMisp ||= name !== 'Object';
        enter(value[name], name === 'Attribute', depth + 1);
      }
    }
  };
  enter(document, false, 0);
  return isMisp;
}

function isBareAttribute(value: unknown): boolean {
  return isObject(value) && typeof value.type === 'string' && typeof value.value === 'string';
}

function addAttribute(draft: FeedDraft, line: number, attribute: Attribute): void {
  const { type, value, to_ids: toIds, deleted, comment } = attribute;
  if (isTrue(deleted)) {
    draft.leaveOut('revoked');
    return;
  }
  if (typeof type !== 'string' || typeof value !== 'string' || value === '') {
    draft.reject(line, typeof type === 'string' ? type : '', 'no-value');
    return;
  }
  // Exports without the column are of attributes for detection only.
  if (toIds !== undefined && toIds !== '' && !isTrue(toIds)) {
    draft.leaveOut('not-to-ids');
    return;
  }
  const confidence = readConfidenceTag(attribute.Tag);
  const facts = { expiresAt: null, confidence, comment: readComment(comment) };
  addTypedValue(draft, { line, type, value, facts });
}

/** JSON has true, older exports "1", CSV 1 or True. */
function isTrue(value: unknown): boolean {
  return value === true || value === 1 || /^(?:1|true)$/i.test(String(value));
}

/** MISP's own taxonomy says how certain somebody is, in words that it gives numbers to. */
function readConfidenceTag(tags: unknown): number | null {
  if (!Array.isArray(tags)) return null;
  for (const tag of tags) {
    const name = isObject(tag) && typeof tag.name === 'string' ? tag.name.slice(0, 100) : '';
    const level = /^misp:confidence-level="([a-z-]+)"$/.exec(name)?.[1] ?? '';
    if (Object.hasOwn(CONFIDENCE_LEVELS, level)) return CONFIDENCE_LEVELS[level];
  }
  return null;
}

const CONFIDENCE_LEVELS: Readonly<Record<string, number>> = {
  'completely-confident': 100,
  'usually-confident': 75,
  'fairly-confident': 50,
  'rarely-confident': 25,
  unconfident: 0,
};
