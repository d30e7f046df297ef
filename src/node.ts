/** The composition root: the one place where the parts meet the real clock, disk and sockets. */
import { resolve } from 'node:path';
import type { Disk } from '../storage/index.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';
import { NodeDisk } from '../storage/node-disk.ts';
import type { Broker, Endpoint } from './api/broker.ts';
import { apiRanges, handlers } from './api/index.ts';
import type { DirectoryAssignment } from './controller/directory-control.ts';
import { KRAFT_VERSION, SUPPORTED_FEATURES } from './controller/features.ts';
import type { MetadataImage } from './controller/image.ts';
import { KraftController } from './controller/kraft-controller.ts';
import type { Logger } from './env.ts';
import { GroupCoordinator } from './group/group-coordinator.ts';
import { Loggers } from './loggers.ts';
import { Dispatcher } from './net/dispatch.ts';
import { advertised, bindListeners } from './node/bind.ts';
import { chores } from './node/chores.ts';
import { createLogCleaner } from './node/cleaner.ts';
import { type Identity, identify } from './node/directories.ts';
import { MetadataFollower, OFFSETS_TOPIC } from './node/follow-metadata.ts';
import { InternalTopicLog } from './node/internal-log.ts';
import { LiveConfig } from './node/live-config.ts';
import { LiveLimits } from './node/live-limits.ts';
import { LogDirectories } from './node/log-directories.ts';
import { Maintenance } from './node/maintenance.ts';
import { createTopics } from './node/new-topics.ts';
import { ReplicaMover } from './node/replica-mover.ts';
import type { NodeOptions, RunningNode } from './node/running.ts';
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
  const undo: (() => void | Promise<void>)[] = [];
  try {
    return await start(options, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

async function start(options: NodeOptions, undo: (() => void | Promise<void>)[]): Promise<RunningNode> {
  const { config, logger } = options;
  const loggers = new Loggers(logger);
  const disk: Disk = options.inMemory ? new MemoryDisk() : new NodeDisk();
  const live = new LiveConfig(config, logger);
  const liveLimits = await LiveLimits.open(config, loggers.named('odradek.net'));
  const listeners = await bindListeners(config, liveLimits.limits, clock, loggers.named('odradek.net'));
  undo.push(() => Promise.all(listeners.map((l) => l.close(0))).then(() => {}));

  const paths = config.logDirs().map((path) => resolve(path));
  const metadataPath = resolve(config.metadataLogDir());
  const logs = new LogDirectories({
    disk,
    paths,
    clock,
    random,
    logger: loggers.named('odradek.storage'),
    config: () => live.current(),
  });
  undo.push(() => logs.abandon());
  const identity = identify(
    disk,
    [...new Set([...logs.onlinePaths(), metadataPath])],
    config.get('node.id'),
    options.clusterId,
    random,
  );
  logs.identified(identity.directoryIds);

  const controller = await openController(live, disk, metadataPath, identity, loggers.named('odradek.controller'));
  undo.push(() => controller.close());
  const { nodeId, partitions, groups, follower } = assemble(live, controller, logs, loggers);
  await follower.start(controller.image);
  await liveLimits.follow(live.current());
  controller.subscribe((image, delta) => follower.follow(image, delta));
  controller.subscribe(() => liveLimits.follow(live.current()));
  const failed = followFailures(logs, partitions, controller, loggers.named('odradek.storage'));
  const addresses = advertised(config, listeners);
  await controller.registerBroker({
    endpoints: addresses.map(({ name, host, port }) => ({ name, host, port, securityProtocol: 0 })),
    rack: config.get('broker.rack'),
    directories: logs.onlinePaths().map((path) => identity.directoryIds.get(path) as string),
  });
  follower.locate(controller.image.topics());

  const replicaMoves = new ReplicaMover({
    logs,
    clock,
    logger: loggers.named('odradek.storage'),
    config: () => live.current(),
    onMoved: ({ topicId }) => follower.locate([controller.image.topicById(topicId)].filter((t) => t !== undefined)),
  });
  replicaMoves.resume((topic, index) => partitions.get(topic, index));

  const fetchWaits = new FetchWaits(clock);
  const fetchSessions = new FetchSessions(random, () => config.get('max.incremental.fetch.session.cache.slots'));
  const broker: Broker = {
    apis: apiRanges,
    nodeId,
    clusterId: identity.clusterId,
    clock,
    random,
    logger: loggers.named('odradek.api'),
    loggers,
    config: () => live.current(),
    image: () => controller.image,
    features: () => featuresOf(controller.image, controller.quorum().kraftVersion),
    endpoints: (listenerName) => endpointsOf(controller.image, listenerName),
    controller,
    partitions,
    producerIds: new ProducerIds(() => controller.allocateProducerIds()),
    fetchSessions,
    fetchWaits,
    replicaMoves,
    groups,
  };
  const dispatcher = new Dispatcher(handlers, broker);
  for (const listener of listeners) listener.serve(dispatcher);
  const maintenance = new Maintenance(clock, logger);
  const cleanerLogger = loggers.named('odradek.cleaner');
  const cleaner = createLogCleaner({ disk, config: live, clock, random, logs, partitions, logger: cleanerLogger });
  const retry = () => follower.retry(controller.image);
  maintenance.start(chores({ config: () => live.current(), clock, logs, partitions, cleaner, controller, retry }));

  return {
    listeners: addresses,
    createTopics: (topics) => createTopics(controller, topics),
    failed,
    async stop() {
      replicaMoves.stop();
      await cleaner.stop();
      await maintenance.stop();
      fetchWaits.stop();
      groups.close();
      await Promise.all(listeners.map((l) => l.close(CLOSE_GRACE_MS)));
      const brokerEpoch = controller.image.broker(nodeId)?.epoch ?? -1;
      await controller.fenceBroker();
      await controller.close();
      await logs.close(partitions, brokerEpoch);
    },
  };
}

function openController(live: LiveConfig, disk: Disk, dir: string, identity: Identity, logger: Logger) {
  return KraftController.open({
    disk,
    dir,
    nodeId: live.current().get('node.id'),
    directoryId: identity.directoryIds.get(dir) as string,
    config: () => live.current(),
    clock,
    random,
    logger,
  });
}

/** The parts that hold this node's partitions and follow the metadata. */
function assemble(live: LiveConfig, controller: KraftController, logs: LogDirectories, loggers: Loggers) {
  const nodeId = live.current().get('node.id');
  const partitions = new Partitions(nodeId, logs, loggers.named('odradek.partition'));
  const groups = new GroupCoordinator({
    log: new InternalTopicLog(OFFSETS_TOPIC, partitions),
    clock,
    random,
    logger: loggers.named('odradek.group'),
    config: () => live.current(),
    partitionCount: () =>
      controller.image.topic(OFFSETS_TOPIC)?.partitions.length ?? live.current().get('offsets.topic.num.partitions'),
  });
  const logger = loggers.named('odradek.controller');
  const onMisplaced = (assignments: readonly DirectoryAssignment[]) => {
    controller
      .assignDirectories(assignments)
      .catch((err) => logger.error({ err }, 'directories could not be assigned'));
  };
  const follower = new MetadataFollower({ nodeId, config: live, partitions, groups, onMisplaced });
  return { nodeId, partitions, groups, follower };
}

/** A log directory that fails takes its partitions with it; with the last one the node cannot go on (KIP-112). */
function followFailures(
  logs: LogDirectories,
  partitions: Partitions,
  controller: KraftController,
  logger: Logger,
): Promise<Error> {
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

function featuresOf(image: MetadataImage, kraftVersion: number) {
  const ofQuorum = kraftVersion > 0 ? [{ name: KRAFT_VERSION, level: kraftVersion }] : [];
  return {
    supported: SUPPORTED_FEATURES.map(({ name, minLevel, maxLevel }) => ({
      name,
      minVersion: minLevel,
      maxVersion: maxLevel,
    })),
    finalized: [...[...image.features].map(([name, level]) => ({ name, level })), ...ofQuorum],
    epoch: image.offset,
  };
}

function endpointsOf(image: MetadataImage, listenerName: string): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const { id: nodeId, endpoints: all, rack, fenced } of image.brokers()) {
    const found = all.find((e) => e.name === listenerName);
    if (found !== undefined && !fenced) endpoints.push({ nodeId, host: found.host, port: found.port, rack });
  }
  return endpoints;
}
