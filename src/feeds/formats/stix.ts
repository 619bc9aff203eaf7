import type { FeedContent, ParseFeedOptions } from '../feed-content.ts';
import { createFeedDraft, type FeedDraft } from './feed-draft.ts';
import { readComment, readConfidence, readMoment } from './feed-facts.ts';
import { parseJsonDocument } from './json-document.ts';
import { isObject } from './json-path.ts';
import { readStixPattern, type StixValue } from './stix-pattern.ts';

/**
 * Indicators of STIX 2.1 (section 4.7): a bundle, what a TAXII server returns, or a list of objects;
 * `lines` counts objects. Of several versions of one object the last modified counts (section 3.6),
 * so that one which is revoked takes the earlier ones with it.
 */
export function readStix(octets: Uint8Array, options: ParseFeedOptions): FeedContent {
  const draft = createFeedDraft(octets, options, 'bare');
  const document = parseJsonDocument(octets, options.checkpoint);
  if (!document.ok) {
    return draft.finish({ detected: 'stix', lines: 0, unreadable: document.unreadable });
  }
  const objects = objectsOf(document.value);
  if (objects === null) {
    const text = 'objects';
    return draft.finish({ detected: 'stix', lines: 0, unreadable: { reason: 'no-list', text } });
  }
  const isLatest = latestVersions(objects);
  for (const [index, object] of objects.entries()) {
    if (isIndicator(object) && isLatest(object)) addIndicator(draft, index + 1, object);
  }
  return draft.finish({ detected: 'stix', lines: objects.length });
}

type StixObject = Readonly<Record<string, unknown>>;

/** TAXII's envelope (TAXII 2.1 section 3.7) has `objects` as a bundle has, and nothing when it is empty. */
function objectsOf(document: unknown): readonly unknown[] | null {
  if (Array.isArray(document)) return document;
  if (!isObject(document)) return null;
  if (Array.isArray(document.objects)) return document.objects;
  if (document.type === 'indicator') return [document];
  const isEmpty = document.type === 'bundle' || document.more === false;
  return isEmpty || Object.keys(document).length === 0 ? [] : null;
}

/** Other objects say something about indicators, and are passed over like comments. */
function isIndicator(object: unknown): object is StixObject {
  return isObject(object) && object.type === 'indicator';
}

function latestVersions(objects: readonly unknown[]): (object: StixObject) => boolean {
  const latest = new Map<string, { readonly modified: number; readonly object: StixObject }>();
  for (const object of objects) {
    if (!isIndicator(object) || typeof object.id !== 'string') continue;
    const modified = readMoment(object.modified) ?? 0;
    const known = latest.get(object.id);
    if (known === undefined || modified >= known.modified)
      latest.set(object.id, { modified, object });
  }
  return (object) => typeof object.id !== 'string' || latest.get(object.id)?.object === object;
}

function addIndicator(draft: FeedDraft, line: number, indicator: StixObject): void {
  const { pattern, pattern_type: language = 'stix', revoked, name, description } = indicator;
  if (typeof pattern !== 'string') {
    draft.reject(line, '', 'no-value');
    return;
  }
  if (language !== 'stix') {
    draft.reject(line, pattern, 'stix-language');
    return;
  }
  const values = readStixPattern(pattern);
  if (values === null) {
    draft.reject(line, pattern, 'stix-pattern');
    return;
  }
  const facts = {
    expiresAt: readMoment(indicator.valid_until),
    confidence: readConfidence(indicator.confidence),
    comment: readComment(typeof name === 'string' ? name : description),
  };
  const validFrom = readMoment(indicator.valid_from);
  for (const value of values) {
    if (revoked === true) draft.withdraw(line, textOf(value));
    else if (validFrom !== null && validFrom > draft.options.nowMs) draft.leaveOut('not-yet-valid');
    else draft.addText(line, textOf(value), 'bare', facts);
  }
}

/** An address stays one whatever it looks like, and a name too. */
function textOf({ object, value }: StixValue): string {
  return object === 'domain-name' ? value : `ip:${value}`;
}
