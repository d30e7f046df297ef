/**
 * One configuration as data: its name, type, default and what values it takes. The tables under tables/ hold one line
 * per configuration of Apache Kafka 4.3; types of values are inferred from them, so that the rest of the broker asks
 * `config.get('num.partitions')` and gets a number.
 */

/** The types of Kafka's ConfigDef. `int` is 32 bits, `short` 16, `long` 64; all are signed. */
export type ConfigType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password';

/** A parsed value. A long is a bigint only where a number would not hold it exactly. */
export type ConfigValue = boolean | number | bigint | string | readonly string[] | null;

/** What `get` returns for each type; a long beyond 2^53 (in practice: Kafka's "no limit") saturates towards 2^63. */
interface ValueOfType {
  boolean: boolean;
  string: string;
  int: number;
  short: number;
  long: number;
  double: number;
  list: readonly string[];
  class: string;
  password: string;
}

/** Where a configuration may change at run time (KIP-226): nowhere, for one broker, or for the cluster or one broker. */
type UpdateMode = 'read-only' | 'per-broker' | 'cluster-wide';

type Importance = 'high' | 'medium' | 'low';

/** The default of a configuration that must be given. */
export const REQUIRED = Symbol('required');

/** Kafka's Long.MaxValue and Integer.MaxValue, which it uses for "no limit". */
export const LONG_MAX = 9_223_372_036_854_775_807n;
export const INT_MAX = 2_147_483_647;

export interface Constraints {
  /** Inclusive bounds of a number. */
  readonly atLeast?: number;
  readonly atMost?: number;
  /** The strings allowed, for a string or for each element of a list. */
  readonly oneOf?: readonly string[];
  readonly ignoreCase?: boolean;
  /** For a string: not ''. For a list: at least one element. */
  readonly nonEmpty?: boolean;
  /** Instead of the rules above: returns what is wrong with a value, as the whole message, or null. */
  readonly check?: (name: string, value: ConfigValue) => string | null;
}

interface Options extends Constraints {
  /** 'medium' when not said, as for most. */
  readonly importance?: Importance;
  /** 'read-only' when not said. */
  readonly update?: UpdateMode;
  /** Hidden from DescribeConfigs unless it has been set. */
  readonly internal?: boolean;
}

export interface Definition<N extends string = string, T extends ConfigType = ConfigType, Absent = null> {
  readonly name: N;
  readonly type: T;
  readonly defaultValue: ConfigValue | typeof REQUIRED;
  readonly importance: Importance;
  readonly update: UpdateMode;
  readonly internal: boolean;
  readonly constraints: Constraints;
  /** Only for the compiler: null where the configuration may have no value, never where it always has one. */
  readonly absent?: Absent;
}

type DefaultOfType = Omit<ValueOfType, 'long'> & { long: number | bigint };

export function define<
  const N extends string,
  const T extends ConfigType,
  const D extends DefaultOfType[T] | null | typeof REQUIRED,
>(name: N, type: T, defaultValue: D, options: Options = {}): Definition<N, T, D extends null ? null : never> {
  const { importance = 'medium', update = 'read-only', internal = false, ...constraints } = options;
  return { name, type, defaultValue, importance, update, internal, constraints };
}

/** The names in a table, and the type of the value each of them has. */
export type NameIn<Table extends readonly Definition<string, ConfigType, null>[]> = Table[number]['name'];
export type ValueIn<Table extends readonly Definition<string, ConfigType, null>[], N extends NameIn<Table>> =
  Extract<Table[number], { name: N }> extends Definition<N, infer T, infer Absent> ? ValueOfType[T] | Absent : never;

export type Definitions = ReadonlyMap<string, Definition>;

export function indexByName(table: readonly Definition[]): Definitions {
  return new Map(table.map((definition) => [definition.name, definition]));
}
