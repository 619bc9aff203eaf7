import type { FeedContent, ParseFeedOptions } from '../feed-content.ts';
import { createFeedDraft, type FeedDraft } from './feed-draft.ts';
import { type FeedLine, visitLines } from './feed-lines.ts';

/**
 * A configuration of Unbound: a `local-zone` that answers by itself is a name with all below it, one
 * that lets queries through takes a name out; `local-data` is one name alone, whatever it answers.
 */
export function readUnbound(octets: Uint8Array, options: ParseFeedOptions): FeedContent {
  const draft = createFeedDraft(octets, options, 'name');
  const lines = visitLines(octets, (line) => {
    if (line.isTooLong) draft.reject(line.number, line, 'line-too-long');
    else readAttribute(draft, line);
  });
  return draft.finish({ detected: 'unbound', lines, mergesForms: true });
}

function readAttribute(draft: FeedDraft, line: FeedLine): void {
  const { number, text } = line;
  const attribute = /^[ \t]*([a-z0-9-]+):[ \t]*/.exec(text);
  if (attribute === null) {
    if (!/^[ \t]*(?:#|$)/.test(text)) draft.reject(number, line, 'bad-syntax');
    return;
  }
  const [{ length: from }, word] = attribute;
  if (word === 'local-zone') readLocalZone(draft, line, from);
  else if (word === 'local-data') readLocalData(draft, line, from);
  else if (!CLAUSES.has(word)) draft.reject(number, line, 'other-directive');
}

/** `local-zone: "name." always_nxdomain`, with or without quotation marks. */
function readLocalZone(draft: FeedDraft, line: FeedLine, from: number): void {
  const { number, text, start } = line;
  const parts = /^(["']?)([^"' \t]+)["']?[ \t]+["']?([a-z_]+)/.exec(text.slice(from));
  if (parts === null) {
    draft.reject(number, line, 'bad-syntax');
    return;
  }
  const [, mark, name, type] = parts;
  const at = start + from + mark.length;
  if (BLOCKING_TYPES.has(type)) draft.addSpan(number, { start: at, end: at + name.length });
  else if (OPEN_TYPES.has(type)) {
    draft.except(number, draft.octets.toString('utf8', at, at + name.length), 'subtree');
  } else draft.reject(number, line, 'not-a-block');
}

/** `local-data: "name. 60 IN A 0.0.0.0"`. */
function readLocalData(draft: FeedDraft, line: FeedLine, from: number): void {
  const { number, text, start } = line;
  const parts = /^(["']?)([^"' \t]+)[ \t]+[^"' \t]/.exec(text.slice(from));
  if (parts === null) {
    draft.reject(number, line, 'bad-syntax');
    return;
  }
  const at = start + from + parts[1].length;
  draft.addText(number, draft.octets.toString('utf8', at, at + parts[2].length), 'host');
}

/** What only groups the attributes that follow. */
const CLAUSES: ReadonlySet<string> = new Set(['server', 'view', 'name', 'view-first']);

/** unbound.conf(5), local-zone: types that do not send the query on. */
const BLOCKING_TYPES: ReadonlySet<string> = new Set([
  ...['deny', 'refuse', 'static', 'redirect', 'inform_deny', 'inform_redirect', 'block_a'],
  ...['always_refuse', 'always_nxdomain', 'always_nodata', 'always_deny', 'always_null'],
]);

/** Types that do, where no local data stands against it. */
const OPEN_TYPES: ReadonlySet<string> = new Set([
  ...['transparent', 'typetransparent', 'always_transparent', 'nodefault', 'inform', 'noview'],
]);
