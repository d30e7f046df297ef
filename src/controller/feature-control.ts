/** Feature levels (KIP-584): raised, and lowered where nothing can be lost. */
import { ErrorCode } from '../../protocol/errors.ts';
import type { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../../protocol/messages/57-update-features.ts';
import { ConfigRecord, FeatureLevelRecord, NoOpRecord } from '../../protocol/metadata/index.ts';
import type { InputOf, MessageOf } from '../../protocol/schema.ts';
import { formatValue } from '../config/value.ts';
import {
  ELR_VERSION,
  KRAFT_VERSION,
  METADATA_VERSION,
  MetadataLevel,
  metadataChangedBetween,
  SUPPORTED_FEATURES,
} from './features.ts';
import { ResourceType } from './image.ts';
import { errorOf, type Plan, type PlanContext, Refused } from './plan.ts';
import { type MetadataRecord, record } from './records.ts';

/** FeatureUpdate.UpgradeType. */
const UPGRADE = 1;
const SAFE_DOWNGRADE = 2;
const UNSAFE_DOWNGRADE = 3;

const PREFIX = 'The update failed for all features since the following feature had an error: ';
const MIN_ISR = 'min.insync.replicas';

interface Update {
  readonly name: string;
  readonly level: number;
  readonly type: number;
}

export interface FeaturesPlan extends Plan<InputOf<typeof UpdateFeaturesResponse>> {
  /** To be in force in the quorum before the records are written; null: as it is. */
  readonly kraftVersion: number | null;
}

/** All of the updates or none. */
export function planUpdateFeatures(
  context: PlanContext,
  request: MessageOf<typeof UpdateFeaturesRequest>,
): FeaturesPlan {
  const updates = request.featureUpdates.map(
    ({ feature, maxVersionLevel, upgradeType, allowDowngrade }): Update => ({
      name: feature,
      level: maxVersionLevel,
      type: allowDowngrade ? SAFE_DOWNGRADE : upgradeType,
    }),
  );
  const proposed = new Map([...context.image.features, ...updates.map(({ name, level }) => [name, level] as const)]);
  try {
    const records = updates.flatMap((update) => planUpdate(context, update, proposed));
    // versions below 2 say it for each feature
    const results = updates.map(({ name }) => ({ feature: name, errorCode: ErrorCode.NONE, errorMessage: 'NONE' }));
    const response = { errorCode: ErrorCode.NONE, errorMessage: null, results };
    if (request.validateOnly) return { records: [], kraftVersion: null, response };
    return { records, kraftVersion: updates.find(({ name }) => name === KRAFT_VERSION)?.level ?? null, response };
  } catch (error) {
    const { errorCode, errorMessage } = errorOf(error);
    return {
      records: [],
      kraftVersion: null,
      response: { errorCode, errorMessage: PREFIX + errorMessage, results: [] },
    };
  }
}

function invalid({ name, level }: Update, reason: string): Refused {
  return new Refused('INVALID_UPDATE_VERSION', `Invalid update version ${level} for feature ${name}. ${reason}`);
}

function planUpdate(context: PlanContext, update: Update, proposed: ReadonlyMap<string, number>): MetadataRecord[] {
  const { name, level, type } = update;
  if (type < UPGRADE || type > UNSAFE_DOWNGRADE) {
    throw invalid(update, 'The controller does not support the given upgrade type.');
  }
  if (level < 0) throw invalid(update, 'A feature version cannot be less than 0.');
  checkSupported(context, update);
  const current = name === KRAFT_VERSION ? context.kraftVersion : (context.image.features.get(name) ?? 0);
  if (level < current && type === UPGRADE) {
    throw invalid(
      update,
      "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.",
    );
  }
  if (level > current && type !== UPGRADE) throw invalid(update, "Can't downgrade to a newer version.");
  if (name === KRAFT_VERSION) return planKraftVersion(current, update);
  if (name === METADATA_VERSION) checkMetadataVersion(current, update);
  else checkDependency(update, proposed);
  const more = name === ELR_VERSION && level > 0 && current === 0 ? minIsrRecords(context) : [];
  return [...more, record(FeatureLevelRecord, { name, featureLevel: level })];
}

/** The quorum keeps the level itself (KIP-853); with a record of no meaning the metadata goes by what is committed there. */
function planKraftVersion(current: number, update: Update): MetadataRecord[] {
  if (update.level < current) throw invalid(update, "Can't downgrade the version of this feature.");
  return update.type === UPGRADE ? [record(NoOpRecord, {})] : [];
}

function checkSupported({ nodeId }: PlanContext, update: Update): void {
  const { name, level } = update;
  const feature = SUPPORTED_FEATURES.find((f) => f.name === name);
  if (feature === undefined) {
    if (level === 0) throw invalid(update, `Feature ${name} not found.`);
    throw invalid(update, `Local controller ${nodeId} does not support this feature.`);
  }
  const { minLevel, maxLevel } = feature;
  if (level >= minLevel && level <= maxLevel) return;
  throw invalid(update, `Local controller ${nodeId} only supports versions ${minLevel}-${maxLevel}`);
}

/** Back only to a level with the same records. */
function checkMetadataVersion(current: number, { level, type }: Update): void {
  if (level >= current || !metadataChangedBetween(level, current)) return;
  const reason =
    type === UNSAFE_DOWNGRADE
      ? 'Unsafe metadata downgrade is not supported in this version.'
      : 'Refusing to perform the requested downgrade because it might delete metadata information.';
  const message = `Unsupported metadata.version downgrade from ${current} to ${level}. ${reason}`;
  throw new Refused('INVALID_UPDATE_VERSION', message);
}

const NEEDED_METADATA_VERSION: ReadonlyMap<string, number> = new Map([
  [ELR_VERSION, MetadataLevel.ELIGIBLE_LEADER_REPLICAS],
]);

function checkDependency(update: Update, proposed: ReadonlyMap<string, number>): void {
  const needed = NEEDED_METADATA_VERSION.get(update.name);
  if (needed === undefined || update.level === 0 || (proposed.get(METADATA_VERSION) ?? 0) >= needed) return;
  throw invalid(
    update,
    `${update.name} could not be set to ${update.level} because it depends on ${METADATA_VERSION} level ${needed}`,
  );
}

/** From now on the limit is the cluster's alone (KIP-966): set if it is not, and taken from the brokers. */
function minIsrRecords({ image, config }: PlanContext): MetadataRecord[] {
  const resourceType = ResourceType.BROKER;
  const records = image
    .configuredResources(resourceType)
    .filter((name) => name !== '' && image.configs(resourceType, name).has(MIN_ISR))
    .map((resourceName) => record(ConfigRecord, { resourceType, resourceName, name: MIN_ISR, value: null }));
  if (image.configs(resourceType, '').has(MIN_ISR)) return records;
  const value = formatValue('int', config.get(MIN_ISR));
  return [record(ConfigRecord, { resourceType, resourceName: '', name: MIN_ISR, value }), ...records];
}
