/** The server cannot start as it is set up: what is wrong, with which value, and the rule that it breaks. */
export class StartError extends Error {
  readonly code = 'ERR_START';
  /** The setting or variable that is to be put right. */
  readonly subject: string;

  constructor(subject: string, value: string, rule: string) {
    super(`${subject}: ${value}: ${rule}`);
    this.name = 'StartError';
    this.subject = subject;
  }
}
