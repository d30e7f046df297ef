/** Listeners (KIP-2, KIP-103, KIP-631): where a node listens, what it advertises, and who uses which listener. */

import { InvalidConfigError } from './value.ts';

type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
const SECURITY_PROTOCOLS: readonly string[] = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'];

export interface Listener {
  /** In upper case, as Kafka compares them. */
  readonly name: string;
  readonly securityProtocol: SecurityProtocol;
  /** '' means every address of the machine; in an advertised listener: not said. IPv6 without brackets. */
  readonly host: string;
  /** 0 picks a free one; in an advertised listener: the one that was bound. */
  readonly port: number;
}

export interface Listeners {
  /** Where clients and other brokers connect. */
  readonly broker: readonly Listener[];
  /** Where the metadata quorum meets; empty where nobody else takes part in it. */
  readonly controller: readonly Listener[];
  /** What Metadata answers tell clients. */
  readonly advertisedBroker: readonly Listener[];
  readonly advertisedController: readonly Listener[];
  readonly interBrokerListenerName: string;
  readonly controllerListenerNames: readonly string[];
}

/** What listeners are made of, as configured. `protocolMap` is null where it has been left at its default. */
export interface ListenerSettings {
  readonly listeners: readonly string[];
  readonly advertisedListeners: readonly string[] | null;
  readonly protocolMap: string | null;
  readonly controllerListenerNames: readonly string[];
  readonly interBrokerListenerName: string | null;
  /** null where it has been left at its default, PLAINTEXT. */
  readonly interBrokerSecurityProtocol: string | null;
}

type ProtocolMap = ReadonlyMap<string, SecurityProtocol>;

const ENDPOINT = /^(.*):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)$/;

function isSecurityProtocol(name: string): name is SecurityProtocol {
  return SECURITY_PROTOCOLS.includes(name);
}

function isSecure(name: string): boolean {
  return name !== 'PLAINTEXT' && isSecurityProtocol(name);
}

function explicitProtocolMap(text: string): ProtocolMap {
  const map = new Map<string, SecurityProtocol>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const colon = entry.lastIndexOf(':');
    const protocol = entry.slice(colon + 1).trim();
    if (colon < 0 || !isSecurityProtocol(protocol)) {
      throw new InvalidConfigError(
        `Invalid security protocol \`${protocol}\` defined in listener.security.protocol.map`,
      );
    }
    map.set(entry.slice(0, colon).trim().toUpperCase(), protocol);
  }
  return map;
}

/** By default each protocol names a listener, and controller listeners are in plain text unless TLS or SASL is in use. */
function defaultProtocolMap(settings: ListenerSettings): ProtocolMap {
  const map = new Map<string, SecurityProtocol>();
  for (const name of SECURITY_PROTOCOLS) if (isSecurityProtocol(name)) map.set(name, name);
  const names = settings.listeners.map((entry) => entry.split('://')[0]!.toUpperCase());
  if ([...names, ...settings.controllerListenerNames].some(isSecure)) return map;
  for (const name of settings.controllerListenerNames) map.set(name.toUpperCase(), 'PLAINTEXT');
  return map;
}

function parseEndpoint(entry: string, protocols: ProtocolMap, all: readonly string[]): Listener {
  const match = ENDPOINT.exec(entry);
  const problem = (reason: string) =>
    new InvalidConfigError(`Error creating broker listeners from '${all.join(',')}': ${reason}`);
  if (match === null) throw problem(`Unable to parse ${entry} to a broker endpoint`);
  const name = match[1]!.toUpperCase();
  const port = Number(match[3]);
  const securityProtocol = protocols.get(name);
  if (securityProtocol === undefined) throw problem(`No security protocol defined for listener ${name}`);
  if (port < 0 || port > 65_535) throw problem(`${entry} has a port outside of 0 to 65535`);
  return { name, securityProtocol, host: match[2]!, port };
}

function isIpv6(host: string): boolean {
  return host.includes(':');
}

function isIpv4(host: string): boolean {
  return /^\d+(\.\d+){3}$/.test(host);
}

/** Two listeners may share a port only where one is on IPv4 and the other on IPv6 (KIP-797). */
function mayShareAPort(one: Listener, other: Listener): boolean {
  if (one.port === 0 || one.port !== other.port) return true;
  return (isIpv4(one.host) && isIpv6(other.host)) || (isIpv6(one.host) && isIpv4(other.host));
}

function checkDistinct(listeners: readonly Listener[], text: string, ports: boolean): void {
  for (const [index, one] of listeners.entries()) {
    for (const other of listeners.slice(index + 1)) {
      if (one.name === other.name) {
        throw new InvalidConfigError(`Each listener must have a different name, listeners: ${text}`);
      }
      if (ports && !mayShareAPort(one, other)) {
        throw new InvalidConfigError(
          `Each listener must have a different port unless exactly one listener has an IPv4 address and the other IPv6 address, listeners: ${text}, port: ${one.port}`,
        );
      }
    }
  }
}

function parseAll(entries: readonly string[], protocols: ProtocolMap, distinctPorts: boolean): Listener[] {
  const listeners = entries.map((entry) => parseEndpoint(entry, protocols, entries));
  checkDistinct(listeners, entries.join(','), distinctPorts);
  return listeners;
}

function interBrokerName(settings: ListenerSettings, protocols: ProtocolMap): string {
  const { interBrokerListenerName: given, interBrokerSecurityProtocol: protocol } = settings;
  if (given === null) return protocol ?? 'PLAINTEXT';
  if (protocol !== null) {
    throw new InvalidConfigError(
      'Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.',
    );
  }
  const name = given.toUpperCase();
  if (!protocols.has(name)) {
    throw new InvalidConfigError(
      `Listener with name ${name} defined in inter.broker.listener.name not found in listener.security.protocol.map.`,
    );
  }
  return name;
}

/** Reads the listeners; throws InvalidConfigError. How they fit the node's roles is for consistency.ts to check. */
export function parseListeners(settings: ListenerSettings): Listeners {
  const controllerListenerNames = settings.controllerListenerNames.map((name) => name.toUpperCase());
  const protocols =
    settings.protocolMap === null ? defaultProtocolMap(settings) : explicitProtocolMap(settings.protocolMap);
  const bound = parseAll(settings.listeners, protocols, true);
  const advertised =
    settings.advertisedListeners === null ? bound : parseAll(settings.advertisedListeners, protocols, false);
  const isController = (listener: Listener) => controllerListenerNames.includes(listener.name);
  const controller = bound.filter(isController);
  return {
    broker: bound.filter((listener) => !isController(listener)),
    controller,
    advertisedBroker: advertised.filter((listener) => !isController(listener)),
    advertisedController: controller.map((own) => advertised.find(({ name }) => name === own.name) ?? own),
    interBrokerListenerName: interBrokerName(settings, protocols),
    controllerListenerNames,
  };
}

/** `NAME://host:port`, as configurations and the ready line print it. */
export function formatListener(listener: Pick<Listener, 'name' | 'host' | 'port'>): string {
  const host = isIpv6(listener.host) ? `[${listener.host}]` : listener.host;
  return `${listener.name}://${host}:${listener.port}`;
}
