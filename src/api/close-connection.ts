/** Thrown by a handler where Kafka answers by closing the connection; the message goes to the log. */
export class CloseConnection extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CloseConnection';
  }
}
