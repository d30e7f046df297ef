/** The composition root: the one place where the parts meet the real clock, disk and sockets. */
import { resolve } from 'node:path';
import { checkInThreads, type Disk, startCompactionThread } from '../storage/index.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';
import { NodeDisk } from '../storage/node-disk.ts';
import type { Broker } from './api/broker.ts';
import { apiRanges, handlers } from './api/index.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import { groupConfig } from './config/group-config.ts';
import type { DirectoryAssignment } from './controller/directory-control.ts';
import { KraftController } from './controller/kraft-controller.ts';
import { OFFSETS_TOPIC, SHARE_STATE_TOPIC, TRANSACTION_STATE_TOPIC } from './coordinator/topics.ts';
import { GroupCoordinator } from './group/group-coordinator.ts';
import { Loggers } from './loggers.ts';
import { Dispatcher } from './net/dispatch.ts';
import { advertised, bindListeners } from './node/bind.ts';
import { endpointsOf, featuresOf } from './node/broker-view.ts';
import { chores } from './node/chores.ts';
import { createLogCleaner } from './node/cleaner.ts';
import type { Coordinator } from './node/coordinator-elections.ts';
import { type Identity, identify } from './node/directories.ts';
import { MetadataFollower } from './node/follow-metadata.ts';
import { InternalTopicLog } from './node/internal-log.ts';
import { LiveConfig } from './node/live-config.ts';
import { LiveLimits } from './node/live-limits.ts';
import { LogDirectories } from './node/log-directories.ts';
import { Maintenance } from './node/maintenance.ts';
import { createTopics } from './node/new-topics.ts';
import { ReplicaMover } from './node/replica-mover.ts';
import { ReturningDirectories } from './node/returning-directories.ts';
import type { NodeOptions, RunningNode } from './node/running.ts';
import { endOffsetOf, ShareGroups } from './node/share-groups.ts';
import { assembleTransactions, type Transactions } from './node/transactions.ts';
import { FetchSessions } from './partition/fetch-session.ts';
import { FetchWaits } from './partition/fetch-wait.ts';
import { Partitions } from './partition/partitions.ts';
import { ProducerIds } from './partition/producer-ids.ts';
import { systemClock as clock, systemRandom as random } from './system-env.ts';

export type { NodeOptions, RunningNode } from './node/running.ts';

/** How long a stopping broker waits for its connections. */
const CLOSE_GRACE_MS = 5000;

/** Starts a node and resolves when it serves. Throws what kept it from starting; nothing is left behind then. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const undo: Undo = [];
  try {
    return await start(options, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

/** What every part is made with. */
interface Base {
  readonly options: NodeOptions;
  readonly disk: Disk;
  readonly live: LiveConfig;
  readonly loggers: Loggers;
  config(): BrokerConfig;
}

/** Undoes what was done, should a later step of the start fail. */
type Undo = (() => void | Promise<void>)[];

function baseOf(options: NodeOptions): Base {
  const loggers = new Loggers(options.logger);
  const live = new LiveConfig(options.config, options.logger);
  const disk = options.inMemory ? new MemoryDisk() : new NodeDisk();
  return { options, disk, live, loggers, config: () => live.current() };
}

/** In this order: the ports, so that a taken one shows at once; the files; the metadata; what follows it; the broker's registration. */
async function start(options: NodeOptions, undo: Undo): Promise<RunningNode> {
  const base = baseOf(options);
  const { listeners, limits } = await listen(base, undo);
  const addresses = advertised(options.config, listeners);
  const { logs, identity } = openLogDirectories(base, undo);
  const controller = await openController(base, identity, undo);
  const replicas = assemble(base, controller, logs);
  await logs.checkFiles();
  await follow(base, controller, replicas, limits);
  const failed = followFailures(base, controller, replicas);
  await register(base, controller, replicas, identity, addresses);

  const fetchWaits = new FetchWaits(clock);
  const broker = brokerOf(base, controller, replicas, identity.clusterId, fetchWaits);
  const dispatcher = new Dispatcher(handlers, broker);
  for (const listener of listeners) listener.serve(dispatcher);
  const { cleaner, maintenance } = startMaintenance(base, controller, replicas, identity);

  return {
    listeners: addresses,
    createTopics: (topics) => createTopics(controller, topics),
    failed,
    async stop() {
      replicas.moves.stop();
      await cleaner.stop();
      await maintenance.stop();
      fetchWaits.stop();
      replicas.transactions.transactions.close();
      replicas.groups.close();
      replicas.shares.close();
      await Promise.all(listeners.map((l) => l.close(CLOSE_GRACE_MS)));
      const brokerEpoch = controller.image.broker(broker.nodeId)?.epoch ?? -1;
      await controller.fenceBroker();
      await controller.close();
      await logs.close(replicas.partitions, brokerEpoch);
    },
  };
}

async function listen({ options, loggers }: Base, undo: Undo) {
  const logger = loggers.named('odradek.net');
  const limits = await LiveLimits.open(options.config, logger);
  const listeners = await bindListeners(options.config, limits.limits, clock, logger);
  undo.push(() => Promise.all(listeners.map((l) => l.close(0))).then(() => {}));
  return { listeners, limits };
}

function openLogDirectories({ options, disk, loggers, config }: Base, undo: Undo) {
  const paths = options.config.logDirs().map((path) => resolve(path));
  const logs = new LogDirectories({
    disk,
    paths,
    clock,
    random,
    logger: loggers.named('odradek.storage'),
    config,
    checkFiles: checkInThreads,
  });
  undo.push(() => logs.abandon());
  const all = [...new Set([...logs.onlinePaths(), metadataPath(options)])];
  const identity = identify(disk, all, options.config.get('node.id'), options.clusterId, random);
  logs.identified(identity.directoryIds);
  return { logs, identity };
}

const metadataPath = ({ config }: NodeOptions): string => resolve(config.metadataLogDir());

async function openController({ options, disk, loggers, config }: Base, identity: Identity, undo: Undo) {
  const dir = metadataPath(options);
  const controller = await KraftController.open({
    disk,
    dir,
    nodeId: options.config.get('node.id'),
    directoryId: identity.directoryIds.get(dir) as string,
    config,
    clock,
    random,
    logger: loggers.named('odradek.controller'),
  });
  undo.push(() => controller.close());
  return controller;
}

/** The parts that hold this node's replicas. */
interface Replicas {
  readonly logs: LogDirectories;
  readonly partitions: Partitions;
  readonly groups: GroupCoordinator;
  readonly producerIds: ProducerIds;
  readonly transactions: Transactions;
  readonly shares: ShareGroups;
  readonly follower: MetadataFollower;
  readonly moves: ReplicaMover;
}

function assemble(
  { options, live, loggers, config }: Base,
  controller: KraftController,
  logs: LogDirectories,
): Replicas {
  const nodeId = options.config.get('node.id');
  const partitions = new Partitions(nodeId, logs, loggers.named('odradek.partition'));
  const logger = loggers.named('odradek.controller');
  const onMisplaced = (assignments: readonly DirectoryAssignment[]) => {
    const told = controller.assignDirectories(assignments);
    told.catch((err) => logger.error({ err }, 'directories could not be assigned'));
  };
  const producerIds = new ProducerIds(() => controller.allocateProducerIds());
  const image = () => controller.image;
  const shares = new ShareGroups({ controller, partitions, clock, logger: loggers.named('odradek.share'), config });
  const groups = new GroupCoordinator({
    log: new InternalTopicLog(OFFSETS_TOPIC, partitions),
    clock,
    random,
    logger: loggers.named('odradek.group'),
    config,
    image,
    partitionCount: () =>
      controller.image.topic(OFFSETS_TOPIC)?.partitions.length ?? config().get('offsets.topic.num.partitions'),
    share: { persister: shares.persister, endOffset: endOffsetOf(partitions) },
  });
  const transactions = assembleTransactions({
    partitions,
    groups,
    producerIds,
    clock,
    logger: loggers.named('odradek.transaction'),
    config,
    image,
  });
  const coordinators = new Map<string, Coordinator>([
    // before the groups, which ask for the state of their share partitions when they are loaded
    [SHARE_STATE_TOPIC, shares],
    [OFFSETS_TOPIC, groups],
    // last: transactions that are being ended go on at once, with offsets too
    [TRANSACTION_STATE_TOPIC, transactions.transactions],
  ]);
  const follower = new MetadataFollower({ nodeId, config: live, partitions, coordinators, onMisplaced });
  const moves = new ReplicaMover({
    logs,
    clock,
    logger: loggers.named('odradek.storage'),
    config,
    onMoved: ({ topicId }) => follower.locate([controller.image.topicById(topicId)].filter((t) => t !== undefined)),
  });
  return { logs, partitions, groups, producerIds, shares, transactions, follower, moves };
}

/** From here on, what the metadata says is so on this node before a change of it is answered. */
async function follow({ config }: Base, controller: KraftController, { follower }: Replicas, limits: LiveLimits) {
  await follower.start(controller.image);
  await limits.follow(config());
  controller.subscribe((image, delta) => follower.follow(image, delta));
  controller.subscribe(() => limits.follow(config()));
}

/** A log directory that fails takes its partitions with it; with the last one the node cannot go on (KIP-112). */
function followFailures(
  { loggers }: Base,
  controller: KraftController,
  { logs, partitions }: Replicas,
): Promise<Error> {
  const logger = loggers.named('odradek.storage');
  return new Promise((resolve) => {
    logs.whenOffline((directoryId, lost, error) => {
      partitions.takeOffline(lost);
      if (logs.onlinePaths().length === 0) resolve(error);
      if (directoryId === null) return;
      const told = controller.directoriesOffline([directoryId]);
      told.catch((err) => logger.error({ err }, 'the failure of a log directory could not be recorded'));
    });
  });
}

/** The broker makes itself known, and leads what it may lead. */
async function register(
  { options }: Base,
  controller: KraftController,
  { logs, partitions, follower, moves }: Replicas,
  { directoryIds }: Identity,
  addresses: RunningNode['listeners'],
): Promise<void> {
  await controller.registerBroker({
    endpoints: addresses.map(({ name, host, port }) => ({ name, host, port, securityProtocol: 0 })),
    rack: options.config.get('broker.rack'),
    directories: logs.onlinePaths().map((path) => directoryIds.get(path) as string),
  });
  follower.locate(controller.image.topics());
  moves.resume((topic, index) => partitions.get(topic, index));
}

/** What the handlers are handed. */
function brokerOf(
  { options, loggers, config }: Base,
  controller: KraftController,
  { partitions, groups, producerIds, shares, transactions, moves }: Replicas,
  clusterId: string,
  fetchWaits: FetchWaits,
): Broker {
  return {
    apis: apiRanges,
    nodeId: options.config.get('node.id'),
    clusterId,
    clock,
    random,
    logger: loggers.named('odradek.api'),
    loggers,
    config,
    groupConfig: (groupId) => groupConfig(controller.image, config(), groupId),
    image: () => controller.image,
    features: () => featuresOf(controller.image, controller.quorum().kraftVersion),
    endpoints: (listenerName) => endpointsOf(controller.image, listenerName),
    controller,
    partitions,
    producerIds,
    fetchSessions: new FetchSessions(random, () => config().get('max.incremental.fetch.session.cache.slots')),
    fetchWaits,
    replicaMoves: moves,
    groups,
    ...transactions,
    shareCoordinator: shares.coordinator,
    sharePartitions: shares.partitions,
    shareSessions: shares.sessions,
  };
}

function startMaintenance(base: Base, controller: KraftController, replicas: Replicas, { clusterId }: Identity) {
  const { logs, partitions, follower } = replicas;
  const { options, disk, live, loggers, config } = base;
  const logger = loggers.named('odradek.cleaner');
  const startThread = options.inMemory ? null : startCompactionThread;
  const cleaner = createLogCleaner({ disk, config: live, clock, random, logs, partitions, logger, startThread });
  const maintenance = new Maintenance(clock, options.logger);
  const nodeId = options.config.get('node.id');
  const returning = new ReturningDirectories({
    ...replicas,
    controller,
    logger: loggers.named('odradek.storage'),
    identify: (paths) => identify(disk, paths, nodeId, clusterId, random).directoryIds,
  });
  const retry = () => {
    follower.retry(controller.image);
    returning.look();
  };
  maintenance.start(chores({ config, clock, logs, partitions, cleaner, controller, retry }));
  return { cleaner, maintenance };
}
