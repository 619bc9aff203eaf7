/** Spreadsheets take a field that begins like this for a formula, in quotes or not. */
const FORMULA = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]/;

/**
 * One field of CSV (RFC 4180 section 2): in quotes where it needs them, and with an apostrophe before
 * what a spreadsheet would carry out.
 */
export function csvField(text: string): string {
  const plain = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
