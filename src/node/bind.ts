import type { BrokerConfig } from '../config/broker-config.ts';
import type { Clock, Logger } from '../env.ts';
import type { ConnectionLimits } from '../net/connection-limits.ts';
import { Listener } from '../net/listener.ts';

const NEVER_IDLE = -1;
const BACKLOG = 'socket.listen.backlog.size';
/**
 * Where nobody has said otherwise. Of a thousand connections at once Kafka's 50 turns many away, who come again a second later; a longer
 * queue costs nothing and nobody else sees it.
 */
const LONG_BACKLOG = 1024;

const backlogOf = (config: BrokerConfig): number =>
  config.properties.has(BACKLOG) ? config.get(BACKLOG) : LONG_BACKLOG;

/** Binds the listeners for clients; where one fails, the others are closed again. */
export async function bindListeners(
  config: BrokerConfig,
  limits: ConnectionLimits,
  clock: Clock,
  logger: Logger,
): Promise<Listener[]> {
  const bound: Listener[] = [];
  try {
    for (const { name, host, port } of config.listeners.broker) {
      bound.push(
        await Listener.bind({
          name,
          host,
          port,
          maxFrameBytes: config.get('socket.request.max.bytes'),
          maxIdleMs: config.get('connections.max.idle.ms') ?? NEVER_IDLE,
          backlog: backlogOf(config),
          limits,
          clock,
          logger,
        }),
      );
    }
    return bound;
  } catch (error) {
    await Promise.all(bound.map((listener) => listener.close(0)));
    throw error;
  }
}

export interface Address {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** What clients are told: the advertised listeners; host or port left open become what was bound. */
export function advertised(config: BrokerConfig, listeners: readonly Listener[]): Address[] {
  return config.listeners.advertisedBroker.map(({ name, host, port }) => {
    const bound = listeners.find((l) => l.name === name) as Listener;
    return { name, host: host || bound.host || 'localhost', port: port || bound.port() };
  });
}
