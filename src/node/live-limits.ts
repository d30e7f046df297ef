import type { BrokerConfig } from '../config/broker-config.ts';
import { InvalidConfigError } from '../config/value.ts';
import type { Logger } from '../env.ts';
import { ConnectionLimits, type Limits, parseOverrides } from '../net/connection-limits.ts';

const OVERRIDES = 'max.connections.per.ip.overrides';

/** The limits of connections as the configuration says them, at the start and whenever it changes (KIP-308, KIP-402). */
export class LiveLimits {
  readonly limits: ConnectionLimits;
  private readonly logger: Logger;
  private followed: BrokerConfig;

  private constructor(config: BrokerConfig, limits: Limits, logger: Logger) {
    this.followed = config;
    this.limits = new ConnectionLimits(limits);
    this.logger = logger;
  }

  /** Throws InvalidConfigError where an override is for a host that is not known. */
  static async open(config: BrokerConfig, logger: Logger): Promise<LiveLimits> {
    return new LiveLimits(config, await limitsOf(config), logger);
  }

  /** Takes over a changed configuration; with an override that cannot be used the limits stay as they were. */
  async follow(config: BrokerConfig): Promise<void> {
    if (config === this.followed) return;
    this.followed = config;
    try {
      this.limits.change(await limitsOf(config));
    } catch (error) {
      if (!(error instanceof InvalidConfigError)) throw error;
      this.logger.warn({ reason: error.message }, 'limits of connections not changed');
    }
  }
}

async function limitsOf(config: BrokerConfig): Promise<Limits> {
  return {
    maxConnections: config.get('max.connections'),
    maxPerIp: config.get('max.connections.per.ip'),
    maxPerIpOverrides: await parseOverrides(config.get(OVERRIDES), addressOf),
  };
}

async function addressOf(host: string): Promise<string> {
  const { lookup } = await import('node:dns/promises');
  try {
    return (await lookup(host)).address;
  } catch {
    throw new InvalidConfigError(`${OVERRIDES} names ${host}, a host that is not known.`);
  }
}
