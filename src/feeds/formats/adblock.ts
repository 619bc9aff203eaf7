import type { FeedContent, ParseFeedOptions } from '../feed-content.ts';
import { createFeedDraft, type FeedDraft } from './feed-draft.ts';
import { type FeedLine, visitLines } from './feed-lines.ts';
import type { FeedReason } from './feed-reasons.ts';

/**
 * The filters of content blockers, as far as DNS can follow: `||name^` is the name with all below
 * it, `@@||name^` takes that out again. Everything that depends on the page, the path or the kind
 * of a request is refused, since blocking the whole name would be another rule.
 */
export function readAdblock(octets: Uint8Array, options: ParseFeedOptions): FeedContent {
  const draft = createFeedDraft(octets, options, 'name');
  const lines = visitLines(octets, (line) => {
    if (line.isTooLong) draft.reject(line.number, line, 'line-too-long');
    else readRule(draft, line);
  });
  return draft.finish({ detected: 'adblock', lines });
}

function readRule(draft: FeedDraft, line: FeedLine): void {
  const { number, text } = line;
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text, from)) from++;
  while (to > from && isBlank(text, to - 1)) to--;
  if (from === to || isComment(text, from, to)) return;
  const isException = text.startsWith('@@', from);
  if (isException) from += 2;
  const caret = text.indexOf('^', from);
  const isWhole =
    caret !== -1 && (caret + 1 === to || (caret + 2 === to && text[caret + 1] === '|'));
  if (!text.startsWith('||', from) || !isWhole || text.slice(from, to).includes('/')) {
    draft.reject(number, line, refusal(text.slice(from, to)));
    return;
  }
  const span = { start: line.start + from + 2, end: line.start + caret };
  if (!isException) {
    draft.addSpan(number, span);
    return;
  }
  draft.except(number, draft.octets.toString('utf8', span.start, span.end), 'subtree');
}

/** `! comment`, `[Adblock Plus 2.0]`, and `# comment`, which is none in `##.banner`. */
function isComment(text: string, from: number, to: number): boolean {
  if (text[from] === '!') return true;
  if (text[from] === '[') return text[to - 1] === ']';
  return text[from] === '#' && (from + 1 === to || isBlank(text, from + 1));
}

function refusal(rule: string): FeedReason {
  if (/#[@?$%]*#|\$\$/.test(rule)) return 'adblock-cosmetic';
  return rule.includes('$') ? 'adblock-modifier' : 'adblock-path';
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09;
}
