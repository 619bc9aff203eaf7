import type { FeedContent, ParseFeedOptions, RegexFormat } from '../feed-content.ts';
import { FeedFailure } from '../sources/feed-failure.ts';
import { createFeedDraft, type FeedDraft } from './feed-draft.ts';
import { readComment, readConfidence, readMoment } from './feed-facts.ts';
import { type FeedLine, visitLines } from './feed-lines.ts';
import { runBounded } from './run-bounded.ts';

const MATCHES_PER_LINE_MAX = 1000;
const PATTERN_CHARACTERS_MAX = 2000;

/**
 * Every match of a regular expression in every line: its group `value`, and `expires`, `confidence`
 * and `comment` if it has them. Lines without a match are rejected, but for empty ones and comments
 * (`#`). All matches together have a time; a pattern that takes longer makes the content unreadable,
 * since half a list would look like a list.
 */
export function readByRegex(
  octets: Uint8Array,
  { pattern }: RegexFormat,
  options: ParseFeedOptions,
): FeedContent {
  const draft = createFeedDraft(octets, options, 'bare');
  const compiled = compilePattern(pattern);
  if (typeof compiled === 'string') {
    const unreadable = { reason: 'bad-pattern', text: compiled } as const;
    return draft.finish({ detected: 'regex', lines: 0, unreadable });
  }
  let lines = 0;
  const stop = readInTime(options.regexTimeMs, () =>
    visitLines(octets, (line) => {
      lines = line.number;
      readMatches(draft, compiled, line);
    }),
  );
  return draft.finish({
    detected: 'regex',
    lines,
    ...(stop === null ? {} : { unreadable: { ...stop, text: `line ${lines}: ${stop.text}` } }),
  });
}

/** Why reading came to no good end, or null. */
function readInTime(timeMs: number, read: () => void) {
  try {
    if (runBounded(read, timeMs)) return null;
    return { reason: 'regex-time', text: `stopped after ${timeMs} ms` } as const;
  } catch (error) {
    if (error instanceof FeedFailure) throw error;
    // V8 compiles a pattern when it is first used, and may find it too large only then.
    const text = error instanceof Error ? error.message.slice(0, 300) : '';
    return { reason: 'bad-pattern', text } as const;
  }
}

/** Why a pattern cannot be used, as a sentence, or null. */
export function refusePattern(pattern: string): string | null {
  const compiled = compilePattern(pattern);
  return typeof compiled === 'string' ? compiled : null;
}

function compilePattern(pattern: string): RegExp | string {
  if (pattern.length > PATTERN_CHARACTERS_MAX) {
    return `A pattern has at most ${PATTERN_CHARACTERS_MAX} characters.`;
  }
  try {
    const compiled = new RegExp(pattern, 'g');
    // Behind an alternative that matches at once, the names of all groups come out.
    const groups = new RegExp(`|${pattern}`).exec('')?.groups ?? {};
    return 'value' in groups ? compiled : 'The pattern has no group named "value".';
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 300) : 'The pattern is not valid.';
  }
}

function readMatches(draft: FeedDraft, pattern: RegExp, line: FeedLine): void {
  const { number, start, end } = line;
  if (line.isTooLong) {
    draft.reject(number, line, 'line-too-long');
    return;
  }
  const text = draft.octets.toString('utf8', start, end);
  let matches = 0;
  for (const { groups = {} } of text.matchAll(pattern)) {
    if (matches === MATCHES_PER_LINE_MAX) break;
    const { value, expires, confidence, comment } = groups;
    if (value === undefined || value === '') continue;
    matches++;
    draft.addText(number, value, 'bare', {
      expiresAt: readMoment(expires),
      confidence: readConfidence(confidence),
      comment: readComment(comment),
    });
  }
  if (matches === 0 && !/^[ \t]*(?:#|$)/.test(text)) draft.reject(number, line, 'no-match');
}
