/** Where something stands in a file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong with a file, and where. */
export interface Problem {
  readonly file: string;
  /** Null when the file as a whole is meant, for example one that cannot be read. */
  readonly position: Position | null;
  /** Dotted path of the setting as it is written in the file; empty when there is none. */
  readonly path: string;
  readonly message: string;
}

/** A file, or a set of files, cannot be used. Carries everything that was found, not the first thing. */
export class ConfigurationError extends Error {
  readonly code = 'ERR_CONFIGURATION';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

/** `file:line:column: path: message`, the form that editors and terminals make clickable. */
function formatProblem({ file, position, path, message }: Problem): string {
  const place = position === null ? file : `${file}:${position.line}:${position.column}`;
  return path === '' ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
}

/** Sorts by file and place, so that a person can work through the file from top to bottom. */
export function inReadingOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      (a.position?.line ?? 0) - (b.position?.line ?? 0) ||
      (a.position?.column ?? 0) - (b.position?.column ?? 0),
  );
}

const SHOWN_CHARACTERS_MAX = 60;

/** A value as it may stand in a message: on one line, printable, and not too long. */
export function shown(text: string): string {
  const cut = text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
  return cut === '' || /[\p{C}\p{Z}]/u.test(cut.replaceAll(' ', '')) ? JSON.stringify(cut) : cut;
}
