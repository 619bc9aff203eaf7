/** What `JSON.parse` gets at once: nothing stops it on its way, and it may need fifty times as much. */
const PART_OCTETS_MAX = 65_536;
/** Exports of MISP carry whole files as text; names and addresses do not. */
const TEXT_OCTETS_MAX = 16 * 1024 * 1024;
/** Lists and objects within each other that are each larger than a part. */
const LARGE_DEPTH_MAX = 32;

/**
 * `JSON.parse` for a document of any size, with a checkpoint every few dozen kilobytes. The document is
 * cut where members of its lists and objects end, as many of them as fit into a part are parsed
 * together, and what is larger is gone into. Throws a SyntaxError for what is no JSON, a RangeError
 * for a text that is too long, and what the checkpoint throws.
 */
export function parseJsonInParts(octets: Buffer, start: number, checkpoint: () => void): unknown {
  let at = start;

  function value(depth: number): unknown {
    skipBlanks();
    const sign = octets[at];
    if (sign !== OPEN_LIST && sign !== OPEN_OBJECT) return scalar();
    const { end, isClosed } = membersWithin(octets, at + 1);
    if (isClosed) return parse(at, end + 1);
    if (depth === LARGE_DEPTH_MAX) {
      throw new SyntaxError(`Large parts are within each other more than ${LARGE_DEPTH_MAX} deep`);
    }
    at++;
    return sign === OPEN_LIST ? list(depth) : object(depth);
  }

  function list(depth: number): unknown[] {
    const items: unknown[] = [];
    members('[]', {
      addPart: (part: unknown[]) => {
        for (const item of part) items.push(item);
        return part.length;
      },
      addLarge: () => items.push(value(depth + 1)),
    });
    return items;
  }

  function object(depth: number): Record<string, unknown> {
    const fields: Record<string, unknown> = {};
    members('{}', {
      addPart: (part: Record<string, unknown>) => {
        const names = Object.keys(part);
        for (const name of names) setField(fields, name, part[name]);
        return names.length;
      },
      addLarge: () => {
        const name = scalar();
        if (typeof name !== 'string') throw new SyntaxError('A name of an object is no text');
        skipBlanks();
        take(COLON);
        setField(fields, name, value(depth + 1));
      },
    });
    return fields;
  }

  /** The members of a list or an object from behind its opening bracket to behind its closing one. */
  function members<Part>(
    brackets: '[]' | '{}',
    { addPart, addLarge }: { addPart: (part: Part) => number; addLarge: () => void },
  ): void {
    const close = brackets.charCodeAt(1);
    for (let isFirst = true; ; isFirst = false) {
      checkpoint();
      skipBlanks();
      const { end, isClosed } = membersWithin(octets, at);
      if (end === -1) {
        addLarge();
        skipBlanks();
        if (octets[at++] === COMMA) continue;
        at--;
        take(close);
        return;
      }
      const text = octets.toString('utf8', at, end);
      const added = addPart(JSON.parse(`${brackets[0]}${text}${brackets[1]}`));
      // Nothing stands between brackets, but something does before and behind each comma.
      if (added === 0 && !(isFirst && isClosed)) throw new SyntaxError('A member is missing');
      at = end;
      take(isClosed ? close : COMMA);
      if (isClosed) return;
    }
  }

  function scalar(): unknown {
    return parse(at, octets[at] === QUOTE ? textEnd(octets, at) : wordEnd(octets, at));
  }

  function parse(from: number, to: number): unknown {
    at = to;
    return JSON.parse(octets.toString('utf8', from, to));
  }

  function take(sign: number): void {
    if (octets[at] !== sign) throw new SyntaxError(`No ${String.fromCharCode(sign)} at ${at}`);
    at++;
  }

  function skipBlanks(): void {
    while (at < octets.length && isBlank(octets[at])) at++;
  }

  const document = value(0);
  skipBlanks();
  if (at < octets.length) throw new SyntaxError(`Something stands behind the document at ${at}`);
  return document;
}

/**
 * Whole members of one list or object that fit into a part: up to its closing bracket, or else to the
 * last comma between two of them; -1 when not even one fits.
 */
function membersWithin(octets: Buffer, from: number): { end: number; isClosed: boolean } {
  const limit = Math.min(octets.length, from + PART_OCTETS_MAX);
  let comma = -1;
  let depth = 0;
  let isText = false;
  for (let at = from; at < limit; at++) {
    const octet = octets[at];
    if (isText) {
      if (octet === BACKSLASH) at++;
      else if (octet === QUOTE) isText = false;
    } else if (octet === QUOTE) isText = true;
    else if (octet === OPEN_LIST || octet === OPEN_OBJECT) depth++;
    else if (octet === CLOSE_LIST || octet === CLOSE_OBJECT) {
      if (depth === 0) return { end: at, isClosed: true };
      depth--;
    } else if (octet === COMMA && depth === 0) comma = at;
  }
  return { end: comma, isClosed: false };
}

/** Behind the closing quotation mark of a text. */
function textEnd(octets: Buffer, start: number): number {
  const limit = Math.min(octets.length, start + TEXT_OCTETS_MAX);
  for (let at = start + 1; at < limit; at++) {
    if (octets[at] === BACKSLASH) at++;
    else if (octets[at] === QUOTE) return at + 1;
  }
  if (limit < octets.length) throw new RangeError(`a text of more than ${TEXT_OCTETS_MAX} octets`);
  return limit;
}

/** Behind a number, `true`, `false` or `null`; of what is none of them, a part at most. */
function wordEnd(octets: Buffer, start: number): number {
  const limit = Math.min(octets.length, start + PART_OCTETS_MAX);
  let at = start;
  while (at < limit && !isBlank(octets[at]) && !SIGNS.has(octets[at])) at++;
  return at;
}

/** As `JSON.parse` does: `__proto__` is a name like any other. */
function setField(fields: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') fields[name] = value;
  else {
    Object.defineProperty(fields, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
}

function isBlank(octet: number): boolean {
  return octet === 0x20 || octet === 0x0a || octet === 0x0d || octet === 0x09;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SIGNS: ReadonlySet<number> = new Set([
  ...[QUOTE, COMMA, COLON, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT],
]);
