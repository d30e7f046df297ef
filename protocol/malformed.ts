/** The one error that reading bytes off the wire or a file can end in. The connection it came from is closed. */
export class MalformedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedError';
  }
}
