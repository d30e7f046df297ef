import type { Logger } from './env.ts';

/** Levels as Kafka's tools write them (org.apache.kafka.common.config.LogLevelConfig), and as the logger knows them. */
const LEVELS = { FATAL: 'fatal', ERROR: 'error', WARN: 'warn', INFO: 'info', DEBUG: 'debug', TRACE: 'trace' } as const;

export type KafkaLogLevel = keyof typeof LEVELS;

export const KAFKA_LOG_LEVELS = Object.keys(LEVELS) as readonly KafkaLogLevel[];

export const ROOT_LOGGER = 'root';

const isLevel = (text: string): text is KafkaLogLevel => text in LEVELS;

/**
 * The node's loggers by name, whose levels a client may change while the broker runs (KIP-412). A name without a level of its own
 * follows the root logger.
 */
export class Loggers {
  private readonly loggers = new Map<string, Logger>();
  private readonly own = new Set<string>();

  constructor(root: Logger) {
    this.loggers.set(ROOT_LOGGER, root);
  }

  /** The logger of one part of the broker; its lines carry the name. */
  named(name: string): Logger {
    let logger = this.loggers.get(name);
    if (logger === undefined) {
      logger = this.root.child({ logger: name });
      this.loggers.set(name, logger);
    }
    return logger;
  }

  has(name: string): boolean {
    return this.loggers.has(name);
  }

  /** Every logger with the level in force. */
  levels(): { name: string; level: KafkaLogLevel }[] {
    return [...this.loggers].map(([name, { level }]) => ({ name, level: toKafka(level) }));
  }

  /** False where the text is no level. The logger has to be there. */
  setLevel(name: string, text: string): boolean {
    const level = text.toUpperCase();
    if (!isLevel(level)) return false;
    this.own.add(name);
    this.apply(name, LEVELS[level]);
    return true;
  }

  /** The logger follows the root again. */
  clearLevel(name: string): void {
    this.own.delete(name);
    this.apply(name, this.root.level);
  }

  private get root(): Logger {
    return this.loggers.get(ROOT_LOGGER) as Logger;
  }

  private apply(name: string, level: string): void {
    (this.loggers.get(name) as Logger).level = level;
    if (name !== ROOT_LOGGER) return;
    for (const [other, logger] of this.loggers) if (!this.own.has(other)) logger.level = level;
  }
}

/** A level that has no name in Kafka (a silent logger's) is told as the quietest one. */
function toKafka(level: string): KafkaLogLevel {
  return KAFKA_LOG_LEVELS.find((name) => LEVELS[name] === level) ?? 'FATAL';
}
