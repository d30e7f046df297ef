/** What Kafka says with INVALID_REQUEST where the failure's own words are not passed on. */
export const GENERIC_INVALID_REQUEST =
  'This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.';
