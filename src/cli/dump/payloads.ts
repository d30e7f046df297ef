/** What keys and values of records say, topic by topic: those of Kafka's own topics are messages, all others are the user's. */
import { isUtf8 } from 'node:buffer';
import { allMessages } from '../../../protocol/all-messages.ts';
import { codec } from '../../../protocol/compile.ts';
import { type JsonObject, type JsonValue, toJson } from '../../../protocol/json.ts';
import { MalformedError } from '../../../protocol/malformed.ts';
import { METADATA_TOPIC } from '../../../protocol/metadata-topic.ts';
import { Reader } from '../../../protocol/reader.ts';
import type { KafkaRecord } from '../../../protocol/records/record.ts';
import { inRange, type Message } from '../../../protocol/schema.ts';
import { decodeRecord } from '../../controller/records.ts';

type Payload = Pick<KafkaRecord, 'key' | 'value'>;
/** Key and value of a record as JSON. */
export type PayloadReader = (payload: Payload) => JsonObject;

/** By topic; `METADATA_TOPIC` also reads snapshots of the metadata. */
export function payloadReaderOf(topic: string | null): PayloadReader {
  return (topic !== null && READERS.get(topic)) || readPlain;
}

/** Text where it is text, else `{"base64": ...}`. */
export function plain(bytes: Buffer | null): JsonValue {
  if (bytes === null) return null;
  return isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
}

const readPlain: PayloadReader = ({ key, value }) => ({ key: plain(key), value: plain(value) });

/** Records of the metadata log have no key; type and version are in the value. */
const readMetadata: PayloadReader = ({ key, value }) => {
  if (value === null) return readPlain({ key, value });
  const { message, version, value: fields } = decodeRecord(value);
  return { type: message.name, version, value: toJson(message, version, fields) };
};

/**
 * Records of a coordinator: an int16 before the key says which kind of record it is, one before the value which version of it. `kinds` are
 * the names of the messages without Key and Value.
 */
function coordinatorReader(kinds: readonly string[]): PayloadReader {
  const names = new Map(kinds.map((kind) => [allMessages.get(`${kind}Key`)?.apiKey ?? -1, kind]));
  return ({ key, value }) => {
    if (key === null) throw new MalformedError('a record of a coordinator without a key');
    const kind = names.get(key.readInt16BE(0));
    if (kind === undefined) throw new MalformedError(`a record of the unknown kind ${key.readInt16BE(0)}`);
    return { type: kind, key: afterVersion(`${kind}Key`, key, 0), value: coordinated(kind, value) };
  };
}

/** Null where the record ends what its key names. */
function coordinated(kind: string, value: Buffer | null): JsonValue {
  if (value === null) return null;
  return afterVersion(`${kind}Value`, value, value.readInt16BE(0));
}

function afterVersion(name: string, bytes: Buffer, version: number): JsonObject {
  const message = allMessages.get(name) as Message;
  if (!inRange(message.versions, version)) throw new MalformedError(`${name} version ${version}`);
  return toJson(message, version, codec(message, version).read(new Reader(bytes.subarray(2))));
}

const TRANSACTIONS = ['TransactionLog'];
const SHARES = ['ShareSnapshot', 'ShareUpdate'];
const groups = [...allMessages.values()]
  .filter(({ kind }) => kind === 'coordinator-key')
  .map(({ name }) => name.replace(/Key$/, ''))
  .filter((kind) => !TRANSACTIONS.includes(kind) && !SHARES.includes(kind));

const READERS: ReadonlyMap<string, PayloadReader> = new Map([
  [METADATA_TOPIC, readMetadata],
  ['__consumer_offsets', coordinatorReader(groups)],
  ['__transaction_state', coordinatorReader(TRANSACTIONS)],
  ['__share_group_state', coordinatorReader(SHARES)],
]);
