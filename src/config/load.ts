/**
 * Where a node's configuration comes from (DESIGN decision 8): Kafka's defaults < the development profile, where no file
 * is given < server.properties < KAFKA_* variables < --set < flags.
 */

import { BrokerConfig } from './broker-config.ts';
import { type Environment, environmentProperties } from './environment.ts';
import { refusal, type Support, supportOf } from './implemented.ts';
import { formatListener } from './listeners.ts';
import { nearestName } from './nearest.ts';
import { parseProperties } from './properties.ts';
import { topicSynonyms, withoutListenerPrefix } from './synonyms.ts';
import { brokerDefinitions, dynamicBrokerDefinitions } from './tables/index.ts';
import { InvalidConfigError } from './value.ts';

export interface ConfigSources {
  /** server.properties; null runs on the development profile. `name` is for messages. */
  readonly file?: { readonly name: string; readonly text: string } | null;
  readonly environment?: Environment;
  /** `name=value` each, in order. */
  readonly set?: readonly string[];
  /** Of the first listener for clients, whatever else says. */
  readonly host?: string | null;
  readonly port?: number | null;
  readonly dataDir?: string | null;
}

export interface LoadedConfig {
  readonly config: BrokerConfig;
  /** The cluster this node is to found or join, where the environment names one (CLUSTER_ID, as in Kafka's image). */
  readonly clusterId: string | null;
  /** What the person who starts the node should know, one line each. */
  readonly notices: readonly string[];
}

interface Sourced {
  readonly value: string;
  /** The words for where it stands, or null for what odradek itself chose. */
  readonly origin: string | null;
}

type Layers = Map<string, Sourced>;

/**
 * A broker for development: at once, on one node. Everything else is Kafka's default, that topics are made on demand with one
 * partition included.
 */
const DEVELOPMENT_PROFILE: readonly (readonly [string, string])[] = [
  ['node.id', '1'],
  ['process.roles', 'broker,controller'],
  ['controller.listener.names', 'CONTROLLER'],
  ['group.initial.rebalance.delay.ms', '0'],
  ['offsets.topic.replication.factor', '1'],
  ['transaction.state.log.replication.factor', '1'],
  ['transaction.state.log.min.isr', '1'],
  ['share.coordinator.state.topic.replication.factor', '1'],
  ['share.coordinator.state.topic.min.isr', '1'],
];

function applyProfile(layers: Layers, environment: Environment): void {
  for (const [name, value] of DEVELOPMENT_PROFILE) layers.set(name, { value, origin: null });
  // The image sets these two, since a container is its own machine.
  const host = environment.ODRADEK_HOST ?? '127.0.0.1';
  const listener = formatListener({ name: 'PLAINTEXT', host, port: 9092 });
  layers.set('listeners', { value: listener, origin: null });
  layers.set('log.dirs', { value: environment.ODRADEK_DATA_DIR ?? './data', origin: null });
}

function applySet(layers: Layers, assignments: readonly string[]): void {
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=');
    if (equals <= 0) throw new InvalidConfigError(`--set takes name=value, not ${assignment}`);
    layers.set(assignment.slice(0, equals).trim(), { value: assignment.slice(equals + 1), origin: '--set' });
  }
}

const ENDPOINT = /^(.*):\/\/(.*):(-?\d+)$/;

/** Puts --host and --port in place of those of the first listener that is no controller's. */
function applyAddress(layers: Layers, host: string | null, port: number | null): void {
  if (host === null && port === null) return;
  const controllers = (layers.get('controller.listener.names')?.value ?? '').toUpperCase().split(/\s*,\s*/);
  const listeners = (layers.get('listeners')?.value ?? 'PLAINTEXT://:9092').split(/\s*,\s*/);
  const index = listeners.findIndex((entry) => !controllers.includes(entry.split('://')[0]!.toUpperCase()));
  const match = ENDPOINT.exec(listeners[index] ?? '');
  if (match === null) throw new InvalidConfigError('--host and --port need a listener for clients in listeners.');
  const address = { name: match[1]!, host: host ?? match[2]!.replace(/^\[|\]$/g, ''), port: port ?? Number(match[3]) };
  listeners[index] = formatListener(address);
  layers.set('listeners', { value: listeners.join(','), origin: '--host and --port' });
}

const WILDCARDS: readonly string[] = ['', '0.0.0.0', '::'];

/** Whoever asks for every address by host alone has not said what to advertise: Kafka's image says localhost, too. */
function adviseLocalhost(layers: Layers, host: string | null): void {
  if (host === null || !WILDCARDS.includes(host) || layers.has('advertised.listeners')) return;
  const controllers = (layers.get('controller.listener.names')?.value ?? '').toUpperCase().split(/\s*,\s*/);
  const advertised = (layers.get('listeners')?.value ?? '')
    .split(/\s*,\s*/)
    .map((entry) => ENDPOINT.exec(entry))
    .filter((match) => match !== null && !controllers.includes(match[1]!.toUpperCase()))
    .map((match) => {
      const [, name, own, port] = match as unknown as [string, string, string, string];
      const bare = own.replace(/^\[|\]$/g, '');
      return formatListener({ name, host: WILDCARDS.includes(bare) ? 'localhost' : bare, port: Number(port) });
    });
  layers.set('advertised.listeners', { value: advertised.join(','), origin: null });
}

function collect(sources: ConfigSources): Layers {
  const { file = null, environment = {}, set = [], host = null, port = null, dataDir = null } = sources;
  const layers: Layers = new Map();
  if (file === null) applyProfile(layers, environment);
  else {
    for (const { name, value, line } of parseProperties(file.text, file.name)) {
      layers.set(name, { value, origin: `${file.name}, line ${line}` });
    }
  }
  for (const { name, value, variable } of environmentProperties(environment))
    layers.set(name, { value, origin: variable });
  applySet(layers, set);
  // Kafka's older name for node.id replaces the profile's.
  if (layers.has('broker.id') && layers.get('node.id')?.origin === null) layers.delete('node.id');
  applyAddress(layers, host, port);
  adviseLocalhost(layers, host ?? (file === null ? (environment.ODRADEK_HOST ?? null) : null));
  if (dataDir !== null) layers.set('log.dirs', { value: dataDir, origin: '--data-dir' });
  return layers;
}

function isKnown(name: string): boolean {
  const base = withoutListenerPrefix(name) ?? name;
  return brokerDefinitions.has(base) || dynamicBrokerDefinitions.has(base);
}

function unknownNotice(name: string, { origin }: Sourced): string {
  // A topic's name in a broker's file is the likeliest slip of all.
  const nearest = topicSynonyms.get(name)?.[0]?.name ?? nearestName(name, brokerDefinitions.keys());
  const advice = nearest === null ? '' : `; did you mean ${nearest}?`;
  return `Unknown configuration ${name} (${origin})${advice}`;
}

function notices(layers: Layers): string[] {
  const given = [...layers].filter(([, { origin }]) => origin !== null);
  const lines = given.filter(([name]) => !isKnown(name)).map(([name, sourced]) => unknownNotice(name, sourced));
  const known = given.filter(([name]) => isKnown(name));
  const withSupport = (support: Support) =>
    known.filter(([name, { value }]) => supportOf(name, value) === support).map(([name]) => name);
  const missing = withSupport('not implemented');
  if (missing.length > 0) lines.push(`Not implemented yet, so without effect: ${missing.join(', ')}`);
  const useless = withSupport('without effect');
  if (useless.length > 0) lines.push(`Without a meaning in odradek, so without effect: ${useless.join(', ')}`);
  return lines;
}

/** Names the place of a bad value, where only one value can be meant. */
function located(error: unknown, layers: Layers): unknown {
  if (!(error instanceof InvalidConfigError)) return error;
  const name = /(?:for configuration |^Configuration ')([\w.-]+)/.exec(error.message)?.[1];
  const origin = name === undefined ? null : layers.get(name)?.origin;
  return origin == null ? error : new InvalidConfigError(`${error.message} (${origin})`);
}

/** Builds the configuration of a node; throws InvalidConfigError with one clear line. */
export function loadConfig(sources: ConfigSources = {}): LoadedConfig {
  const layers = collect(sources);
  try {
    const config = new BrokerConfig(new Map([...layers].map(([name, { value }]) => [name, value])));
    const refused = refusal(config);
    if (refused !== null) throw new InvalidConfigError(refused);
    return { config, clusterId: sources.environment?.CLUSTER_ID ?? null, notices: notices(layers) };
  } catch (error) {
    throw located(error, layers);
  }
}
