/** KAFKA_* variables, as the apache/kafka image reads them (KIP-975). */

const PREFIX = 'KAFKA_';

/** Variables for Kafka's own scripts and JVM, which are no configurations. */
const NOT_CONFIGURATIONS: ReadonlySet<string> = new Set([
  'KAFKA_VERSION',
  'KAFKA_HOME',
  'KAFKA_HEAP_OPTS',
  'KAFKA_LOG4J_OPTS',
  'KAFKA_OPTS',
  'KAFKA_JMX_OPTS',
  'KAFKA_JMX_PORT',
  'KAFKA_JMX_HOSTNAME',
  'KAFKA_JVM_PERFORMANCE_OPTS',
  'KAFKA_GC_LOG_OPTS',
  'KAFKA_LOG4J_ROOT_LOGLEVEL',
  'KAFKA_LOG4J_LOGGERS',
  'KAFKA_TOOLS_LOG4J_LOGLEVEL',
]);

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentProperty {
  readonly name: string;
  readonly value: string;
  readonly variable: string;
}

/** One underscore is a dot, two are an underscore, three a hyphen. */
function configurationName(variable: string): string {
  const separators: Record<string, string> = { _: '.', __: '_', ___: '-' };
  return variable
    .slice(PREFIX.length)
    .toLowerCase()
    .replace(/_{1,3}/g, (underscores) => separators[underscores]!);
}

/** The image listens on every address for each listener that is advertised, unless it is told where to listen. */
function impliedListeners(environment: Environment): EnvironmentProperty[] {
  const advertised = environment.KAFKA_ADVERTISED_LISTENERS;
  if (!advertised || environment.KAFKA_LISTENERS || environment.KAFKA_PROCESS_ROLES === 'controller') return [];
  const value = advertised.replace(/:\/\/[^,]*:(?=\d+(?:,|\s|$))/g, '://0.0.0.0:');
  return [{ name: 'listeners', value, variable: 'KAFKA_ADVERTISED_LISTENERS' }];
}

/** The configurations that the environment sets. */
export function environmentProperties(environment: Environment): EnvironmentProperty[] {
  const properties = impliedListeners(environment);
  for (const [variable, value] of Object.entries(environment)) {
    if (value === undefined || !variable.startsWith(PREFIX) || NOT_CONFIGURATIONS.has(variable)) continue;
    properties.push({ name: configurationName(variable), value, variable });
  }
  return properties;
}
