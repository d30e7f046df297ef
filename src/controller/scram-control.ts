/** SCRAM credentials of users (KIP-554): the metadata log keeps the derived keys, never a password. */
import { createHash, createHmac } from 'node:crypto';
import { ErrorCode } from '../../protocol/errors.ts';
import type {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from '../../protocol/messages/50-describe-user-scram-credentials.ts';
import type {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from '../../protocol/messages/51-alter-user-scram-credentials.ts';
import { RemoveUserScramCredentialRecord, UserScramCredentialRecord } from '../../protocol/metadata/index.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { MetadataImage } from './image.ts';
import { type ApiError, duplicatesIn, errorOf, NO_ERROR, type Plan, type PlanContext, Refused } from './plan.ts';
import { type MetadataRecord, record } from './records.ts';

type Request = MessageOf<typeof AlterUserScramCredentialsRequest>;
type Upsertion = Request['upsertions'][number];
type Deletion = Request['deletions'][number];

/** ScramMechanism of the wire, with node:crypto's names of the hashes. */
const HASHES: ReadonlyMap<number, string> = new Map([
  [1, 'sha256'],
  [2, 'sha512'],
]);
const MIN_ITERATIONS = 4096;
const MAX_ITERATIONS = 16384;

export function planAlterUserScramCredentials(
  context: PlanContext,
  request: Request,
): Plan<InputOf<typeof AlterUserScramCredentialsResponse>> {
  const changes = [
    ...request.deletions.map((deletion) => ({ user: deletion.name, plan: () => remove(context.image, deletion) })),
    ...request.upsertions.map((upsertion) => ({ user: upsertion.name, plan: () => upsert(upsertion) })),
  ];
  const twice = duplicatesIn(changes.map(({ user }) => user));
  const records: MetadataRecord[] = [];
  const results = new Map<string, ApiError>();
  for (const { user, plan } of changes) {
    if (results.has(user)) continue;
    results.set(user, twice.has(user) ? ALTERED_TWICE : run(plan, records));
  }
  return { records, response: { results: [...results].map(([user, error]) => ({ user, ...error })) } };
}

const ALTERED_TWICE: ApiError = {
  errorCode: ErrorCode.DUPLICATE_RESOURCE,
  errorMessage: 'A user credential cannot be altered twice in the same request',
};

function run(plan: () => MetadataRecord, records: MetadataRecord[]): ApiError {
  try {
    records.push(plan());
    return NO_ERROR;
  } catch (error) {
    return errorOf(error);
  }
}

/** The name of the mechanism's hash. */
function checked(name: string, mechanism: number): string {
  if (name === '') throw new Refused('UNACCEPTABLE_CREDENTIAL', 'Username must not be empty');
  const hash = HASHES.get(mechanism);
  if (hash === undefined) throw new Refused('UNSUPPORTED_SASL_MECHANISM', 'Unknown SCRAM mechanism');
  return hash;
}

function remove(image: MetadataImage, { name, mechanism }: Deletion): MetadataRecord {
  checked(name, mechanism);
  if (
    !image
      .scramUsers()
      .get(name)
      ?.some((credential) => credential.mechanism === mechanism)
  ) {
    throw new Refused('RESOURCE_NOT_FOUND', 'Attempt to delete a user credential that does not exist');
  }
  return record(RemoveUserScramCredentialRecord, { name, mechanism });
}

function upsert({ name, mechanism, iterations, salt, saltedPassword }: Upsertion): MetadataRecord {
  const hash = checked(name, mechanism);
  if (iterations < MIN_ITERATIONS) throw new Refused('UNACCEPTABLE_CREDENTIAL', 'Too few iterations');
  if (iterations > MAX_ITERATIONS) throw new Refused('UNACCEPTABLE_CREDENTIAL', 'Too many iterations');
  // Java's HMAC takes no empty key, and Kafka answers with what that throws
  if (saltedPassword.length === 0) throw new Refused('UNKNOWN_SERVER_ERROR', null);
  return record(UserScramCredentialRecord, {
    name,
    mechanism,
    iterations,
    salt: Buffer.from(salt),
    ...keys(hash, saltedPassword),
  });
}

/** RFC 5802: what a server needs to check a proof and to prove itself. */
function keys(hash: string, saltedPassword: Buffer) {
  const clientKey = createHmac(hash, saltedPassword).update('Client Key').digest();
  return {
    storedKey: createHash(hash).update(clientKey).digest(),
    serverKey: createHmac(hash, saltedPassword).update('Server Key').digest(),
  };
}

/** Mechanisms and iterations of the users named; of all users where none is. */
export function describeUserScramCredentials(
  image: MetadataImage,
  { users }: MessageOf<typeof DescribeUserScramCredentialsRequest>,
): InputOf<typeof DescribeUserScramCredentialsResponse> {
  const known = image.scramUsers();
  const wanted = users === null || users.length === 0 ? [...known.keys()] : users.map(({ name }) => name);
  const twice = duplicatesIn(wanted);
  const results = [...new Set(wanted)].map((user) => {
    if (twice.has(user)) {
      const errorMessage = `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`;
      return { user, errorCode: ErrorCode.DUPLICATE_RESOURCE, errorMessage };
    }
    const credentials = known.get(user);
    if (credentials === undefined) {
      const errorMessage = `Attempt to describe a user credential that does not exist: ${user}`;
      return { user, errorCode: ErrorCode.RESOURCE_NOT_FOUND, errorMessage };
    }
    const credentialInfos = credentials.map(({ mechanism, iterations }) => ({ mechanism, iterations }));
    return { user, errorCode: 0, errorMessage: '', credentialInfos };
  });
  return { errorCode: 0, errorMessage: '', results };
}
