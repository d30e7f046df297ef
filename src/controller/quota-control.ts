/** Quotas of users, clients and addresses (KIP-546, KIP-599, KIP-612): kept and told. */
import { isIP } from 'node:net';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse,
} from '../../protocol/messages/48-describe-client-quotas.ts';
import type {
  AlterClientQuotasRequest,
  AlterClientQuotasResponse,
} from '../../protocol/messages/49-alter-client-quotas.ts';
import { ClientQuotaRecord } from '../../protocol/metadata/index.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import type { ConfigType, Definition } from '../config/definition.ts';
import { clientQuotaTable, ipQuotaTable } from '../config/tables/quota.ts';
import { type MetadataImage, type QuotaEntity, quotaKey } from './image.ts';
import { type ApiError, errorOf, NO_ERROR, type Plan, type PlanContext, Refused } from './plan.ts';
import { type MetadataRecord, record } from './records.ts';

const USER = 'user';
const CLIENT_ID = 'client-id';
const IP = 'ip';
const ENTITY_TYPES: readonly string[] = [USER, CLIENT_ID, IP];

type Entry = MessageOf<typeof AlterClientQuotasRequest>['entries'][number];

interface Alteration {
  readonly entity: QuotaEntity;
  readonly ops: Entry['ops'];
}

export function planAlterClientQuotas(
  context: PlanContext,
  request: MessageOf<typeof AlterClientQuotasRequest>,
): Plan<InputOf<typeof AlterClientQuotasResponse>> {
  const records: MetadataRecord[] = [];
  const results = new Map<string, ApiError & { entity: QuotaEntity }>();
  for (const { entity, ops } of request.entries.map(toAlteration)) {
    const key = quotaKey(entity);
    const isRepeated = results.has(key) || new Set(ops.map((op) => op.key)).size < ops.length;
    results.set(key, { entity, ...(isRepeated ? repeated(entity) : alter(context, { entity, ops }, records)) });
  }
  const entries = [...results.values()].map(({ entity, ...error }) => ({ ...error, entity: toWire(entity) }));
  return { records: request.validateOnly ? [] : records, response: { entries } };
}

/** A type that is named twice counts with its last name. */
const toAlteration = ({ entity, ops }: Entry): Alteration => ({
  entity: new Map(entity.map(({ entityType, entityName }) => [entityType, entityName])),
  ops,
});

const toWire = (entity: QuotaEntity) => [...entity].map(([entityType, entityName]) => ({ entityType, entityName }));

/** The same entity twice, or the same quota twice for one. */
function repeated(entity: QuotaEntity): ApiError {
  const text = [...entity].map(([type, name]) => `${type}=${name}`).join(', ');
  return {
    errorCode: ErrorCode.INVALID_REQUEST,
    errorMessage: `Ignoring duplicate entity ClientQuotaEntity(entries={${text}})`,
  };
}

function alter({ image }: PlanContext, { entity, ops }: Alteration, records: MetadataRecord[]): ApiError {
  try {
    const definitions = definitionsFor(entity);
    const current = image.fields.quotas.get(quotaKey(entity))?.values ?? new Map<string, number>();
    const changes: Omit<InputOf<typeof ClientQuotaRecord>, 'entity'>[] = [];
    for (const { key, value, remove } of ops) {
      if (!remove) checkValue(definitions, key, value);
      const isChange = remove ? current.has(key) : current.get(key) !== value;
      if (isChange) changes.push(remove ? { key, remove } : { key, value });
    }
    records.push(...changes.map((change) => record(ClientQuotaRecord, { entity: toWire(entity), ...change })));
    return NO_ERROR;
  } catch (error) {
    return errorOf(error);
  }
}

const invalid = (message: string) => new Refused('INVALID_REQUEST', message);

/** The quotas that such an entity may have. */
function definitionsFor(entity: QuotaEntity): readonly Definition[] {
  if (entity.size === 0) throw invalid('Invalid empty client quota entity');
  for (const [type, name] of entity) {
    if (!ENTITY_TYPES.includes(type)) throw invalid(`Unhandled client quota entity type: ${type}`);
    if (name === '') throw invalid(`Empty ${type} not supported`);
  }
  if (!entity.has(IP)) return clientQuotaTable;
  if (entity.size > 1) {
    throw invalid('Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId');
  }
  const address = entity.get(IP) ?? null;
  // Kafka would also take a name and resolve it; a quota on an address that may change is refused here
  if (address !== null && isIP(address) === 0) throw invalid(`${address} is not a valid IP or resolvable host.`);
  return ipQuotaTable;
}

const MOST: Partial<Record<ConfigType, number>> = { int: 2_147_483_647, long: 2 ** 63 };
const FRACTION = 1e-6;

function checkValue(definitions: readonly Definition[], key: string, value: number): void {
  const type = definitions.find(({ name }) => name === key)?.type;
  if (type === undefined) throw invalid(`Invalid configuration key ${key}`);
  if (value <= 0) throw invalid(`Quota ${key} must be greater than 0`);
  const most = MOST[type];
  if (most === undefined) return;
  if (value > most)
    throw invalid(`Proposed value for ${key} is too large for ${type === 'int' ? 'an INT' : 'a LONG'}.`);
  if (value % 1 > FRACTION) throw invalid(`${key} cannot be a fractional value.`);
}

/** Filter.MatchType of the wire. */
const EXACT = 0;
const DEFAULT = 1;
const SPECIFIED = 2;

type FilterComponent = MessageOf<typeof DescribeClientQuotasRequest>['components'][number];

/** Which entities are asked for: names to be met exactly (null: the default), and types to be there at all. */
interface Filter {
  readonly exact: ReadonlyMap<string, string | null>;
  readonly types: ReadonlySet<string>;
}

/** Throws KafkaError for a filter that makes no sense. */
export function describeClientQuotas(
  image: MetadataImage,
  request: MessageOf<typeof DescribeClientQuotasRequest>,
): InputOf<typeof DescribeClientQuotasResponse> {
  const filter = toFilter(request.components);
  const entries = [...image.quotas()]
    .filter(({ entity }) => matches(entity, filter, request.strict))
    .map(({ entity, values }) => ({
      entity: toWire(entity),
      values: [...values].map(([key, value]) => ({ key, value })),
    }));
  return { errorCode: 0, errorMessage: '', entries };
}

const badFilter = (message: string) => new KafkaError('INVALID_REQUEST', message);

function toFilter(components: readonly FilterComponent[]): Filter {
  const exact = new Map<string, string | null>();
  const types = new Set<string>();
  for (const component of components) {
    const { entityType, matchType, match } = component;
    if (entityType === '') throw badFilter('Invalid empty entity type.');
    if (exact.has(entityType) || types.has(entityType)) {
      throw badFilter(`Entity type ${entityType} cannot appear more than once in the filter.`);
    }
    if (!ENTITY_TYPES.includes(entityType)) {
      throw new KafkaError('UNSUPPORTED_VERSION', `Unsupported entity type ${entityType}`);
    }
    checkMatch(component);
    if (matchType === SPECIFIED) types.add(entityType);
    else exact.set(entityType, match);
  }
  const has = (type: string) => exact.has(type) || types.has(type);
  if (has(IP) && (has(USER) || has(CLIENT_ID))) {
    throw badFilter(
      'Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.',
    );
  }
  return { exact, types };
}

function checkMatch({ matchType, match }: FilterComponent): void {
  if (matchType !== EXACT && matchType !== DEFAULT && matchType !== SPECIFIED) {
    throw badFilter(`Unknown match type ${matchType}`);
  }
  if (matchType === EXACT) {
    if (match === null) throw badFilter('Request specified MATCH_TYPE_EXACT, but set match string to null.');
  } else if (match !== null) {
    const name = matchType === DEFAULT ? 'DEFAULT' : 'SPECIFIED';
    throw badFilter(`Request specified MATCH_TYPE_${name}, but also specified a match string.`);
  }
}

function matches(entity: QuotaEntity, { exact, types }: Filter, strict: boolean): boolean {
  if (strict && entity.size !== exact.size + types.size) return false;
  for (const [type, name] of exact) if (!entity.has(type) || entity.get(type) !== name) return false;
  for (const type of types) if (!entity.has(type)) return false;
  return true;
}
