/** The rules that a range or a list of words cannot say. Each returns the whole message, or null where all is well. */

import type { ConfigValue } from './definition.ts';

function elements(value: ConfigValue): readonly string[] {
  return typeof value === 'object' && value !== null ? value : [];
}

/** zlib's levels, or -1 for its default. */
export function gzipLevel(name: string, value: ConfigValue): string | null {
  if (typeof value === 'number' && (value === -1 || (value >= 1 && value <= 9))) return null;
  return `Invalid value ${value} for configuration ${name}: Value must be between 1 and 9 or equal to -1`;
}

const HOST_PORT = /^(.*?)\[?([0-9a-zA-Z\-%._:]*)\]?:([0-9]+)$/;
const VOTER = /^(\d+)@(.+)$/;

/** {id}@{host}:{port}, as controller.quorum.voters lists them. */
export function quorumVoters(name: string, value: ConfigValue): string | null {
  const bad = elements(value).find((entry) => {
    const match = VOTER.exec(entry);
    return match === null || !HOST_PORT.test(match[2]!);
  });
  if (bad === undefined) return null;
  return `Invalid configuration value for ${name}. Each entry should be in the form \`{id}@{host}:{port}\`.`;
}

export function hostPorts(name: string, value: ConfigValue): string | null {
  const bad = elements(value).find((entry) => !HOST_PORT.test(entry));
  if (bad === undefined) return null;
  return `Failed to parse host name from ${bad} for the configuration ${name}. Each entry should be in the form "{host}:{port}"`;
}

/** '*' or partition:broker pairs. */
export function throttledReplicas(name: string, value: ConfigValue): string | null {
  const all = elements(value);
  const fine = all.every((pair) => /^(\d+:\d+)?$/.test(pair.trim())) || (all.length === 1 && all[0]!.trim() === '*');
  if (fine) return null;
  const form = '[partitionId]:[brokerId],[partitionId]:[brokerId],...';
  return `Invalid value [${all.join(', ')}] for configuration ${name}: ${name} must be the literal '*' or a list of replicas in the following format: ${form}`;
}

const DURATION = /^p(?=\d|t\d)(?:\d+d)?(?:t(?=\d)(?:\d+h)?(?:\d+m)?(?:\d+(?:\.\d{1,9})?s)?)?$/i;

/** Where a share group without offsets begins (KIP-932). */
export function shareOffsetReset(name: string, value: ConfigValue): string | null {
  const text = String(value);
  const prefix = 'by_duration:';
  if (text === 'earliest' || text === 'latest') return null;
  if (text.startsWith(prefix) && DURATION.test(text.slice(prefix.length))) return null;
  const rule = `The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`;
  return `Invalid value ${value} for configuration ${name}: Invalid value \`${value}\` for configuration ${name}. ${rule}`;
}
