import type { FeedContent, JsonFormat, ParseFeedOptions } from '../feed-content.ts';
import { createFeedDraft, type FeedDraft } from './feed-draft.ts';
import { readComment, readConfidence, readMoment } from './feed-facts.ts';
import { type FeedLine, visitLines } from './feed-lines.ts';
import type { FeedReason } from './feed-reasons.ts';
import { parseJsonDocument } from './json-document.ts';
import { type JsonPath, parseJsonPath, valuesAt } from './json-path.ts';
import { withoutStackTraces } from './without-stack-traces.ts';

/** A document whose list stands at a path; `lines` counts its items. */
export function readJson(
  octets: Uint8Array,
  format: JsonFormat,
  options: ParseFeedOptions,
): FeedContent {
  const draft = createFeedDraft(octets, options, 'bare');
  const refuse = (reason: FeedReason, text: string): FeedContent =>
    draft.finish({ detected: 'json', lines: 0, unreadable: { reason, text } });
  const paths = parsePaths(format);
  if (paths === null) return refuse('no-list', 'a path is not written as paths are');
  const document = parseJsonDocument(octets, options.checkpoint);
  if (!document.ok) return refuse(document.unreadable.reason, document.unreadable.text);
  const lists = valuesAt(document.value, paths.list);
  if (lists.length === 0) return refuse('no-list', format.path);
  let items = 0;
  for (const list of lists) {
    // A path may lead to the list or, with [*] at its end, to its items.
    for (const item of Array.isArray(list) ? list : [list]) addItem(draft, paths, ++items, item);
  }
  return draft.finish({ detected: 'json', lines: items });
}

/** One document to a line. */
export function readJsonLines(
  octets: Uint8Array,
  format: JsonFormat,
  options: ParseFeedOptions,
): FeedContent {
  const draft = createFeedDraft(octets, options, 'bare');
  const paths = parsePaths(format);
  if (paths === null) {
    const text = 'a path is not written as paths are';
    return draft.finish({ detected: 'jsonl', lines: 0, unreadable: { reason: 'no-list', text } });
  }
  const readLine = (line: FeedLine): void => {
    const { number, start, end } = line;
    if (line.isTooLong) {
      draft.reject(number, line, 'line-too-long');
      return;
    }
    if (/^[ \t]*$/.test(line.text)) return;
    const document = parseJsonDocument(draft.octets.subarray(start, end));
    if (!document.ok) {
      draft.reject(number, line, 'bad-json');
      return;
    }
    for (const list of valuesAt(document.value, paths.list)) {
      for (const item of Array.isArray(list) ? list : [list]) addItem(draft, paths, number, item);
    }
  };
  const lines = withoutStackTraces(() => visitLines(octets, readLine));
  return draft.finish({ detected: 'jsonl', lines });
}

interface JsonPaths {
  readonly list: JsonPath;
  readonly value: JsonPath;
  readonly expires: JsonPath | undefined;
  readonly confidence: JsonPath | undefined;
  readonly comment: JsonPath | undefined;
}

/** Null when one of them is no path. */
function parsePaths(format: JsonFormat): JsonPaths | null {
  const optional = (path: string | undefined) =>
    path === undefined ? undefined : parseJsonPath(path);
  const list = parseJsonPath(format.path);
  const value = parseJsonPath(format.value);
  const expires = optional(format.expires);
  const confidence = optional(format.confidence);
  const comment = optional(format.comment);
  if (list === null || value === null) return null;
  if (expires === null || confidence === null || comment === null) return null;
  return { list, value, expires, confidence, comment };
}

function addItem(draft: FeedDraft, paths: JsonPaths, line: number, item: unknown): void {
  const first = (path: JsonPath | undefined): unknown =>
    path === undefined ? undefined : valuesAt(item, path)[0];
  const facts = {
    expiresAt: readMoment(first(paths.expires)),
    confidence: readConfidence(first(paths.confidence)),
    comment: readComment(first(paths.comment)),
  };
  const values = valuesAt(item, paths.value).flat();
  if (values.length === 0) draft.reject(line, shownItem(item), 'no-value');
  for (const value of values) {
    if (typeof value === 'string' && value !== '') draft.addText(line, value, 'bare', facts);
    else draft.reject(line, shownItem(item), 'no-value');
  }
}

/** An item may be as large as the document: only what fits is written out. */
function shownItem(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  const names = Array.isArray(item) ? [] : Object.keys(item).slice(0, 20);
  return Array.isArray(item) ? '[…]' : `{${names.map((name) => name.slice(0, 40)).join(', ')}}`;
}
