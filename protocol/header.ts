/**
 * Request and response headers (KIP-482): which version of them goes with which version of an API, and their bytes.
 *
 *   request    requestApiKey int16, requestApiVersion int16, correlationId int32, clientId nullable string (never compact),
 *              from version 2 on a tagged section
 *   response   correlationId int32, from version 1 on a tagged section
 */
import { MalformedError } from './malformed.ts';
import { apis } from './messages/index.ts';
import type { Reader } from './reader.ts';
import { type Message, parseRange } from './schema.ts';
import type { Writer } from './writer.ts';

const API_VERSIONS_KEY = 18;

export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  /** A client id that is null on the wire is empty here, as Kafka takes it. */
  readonly clientId: string;
}

/** The lowest flexible version of each API's request; Infinity where there is none. */
const flexibleFrom: readonly (number | undefined)[] = lowestFlexible();

function lowestFlexible(): (number | undefined)[] {
  const table: (number | undefined)[] = [];
  for (const [key, api] of Object.entries(apis)) table[Number(key)] = flexibleSince(api.request);
  return table;
}

function flexibleSince(message: Message): number {
  return parseRange(message.flexible)?.[0] ?? Number.POSITIVE_INFINITY;
}

/** True for the keys that have a schema here. */
export function isApiKey(apiKey: number): boolean {
  return flexibleFrom[apiKey] !== undefined;
}

/** 1, or 2 in flexible versions; also for versions that the API does not have. Throws MalformedError for an unknown key. */
export function requestHeaderVersion(apiKey: number, apiVersion: number): 1 | 2 {
  const since = flexibleFrom[apiKey];
  if (since === undefined) throw new MalformedError(`unknown API key ${apiKey}`);
  return apiVersion >= since ? 2 : 1;
}

/**
 * 0, or 1 in flexible versions; always 0 for ApiVersions, whose response must be readable by a client that does not yet
 * know what the broker speaks (KIP-511).
 */
export function responseHeaderVersion(apiKey: number, apiVersion: number): 0 | 1 {
  if (apiKey === API_VERSIONS_KEY) return 0;
  return requestHeaderVersion(apiKey, apiVersion) === 2 ? 1 : 0;
}

/** Reads the header; the reader then stands at the body. Throws MalformedError, also for an unknown API key. */
export function readRequestHeader(reader: Reader): RequestHeader {
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const version = requestHeaderVersion(apiKey, apiVersion);
  const correlationId = reader.int32();
  const clientId = reader.stringOrNull() ?? '';
  if (version === 2) reader.skipTags();
  return { apiKey, apiVersion, correlationId, clientId };
}

export function writeRequestHeader(
  writer: Writer,
  apiKey: number,
  apiVersion: number,
  correlationId: number,
  clientId: string | null,
): void {
  writer.int16(apiKey);
  writer.int16(apiVersion);
  writer.int32(correlationId);
  writer.stringOrNull(clientId);
  if (requestHeaderVersion(apiKey, apiVersion) === 2) writer.uvarint(0);
}

/** Reads the header of a response to a request of this key and version; returns the correlation id. */
export function readResponseHeader(reader: Reader, apiKey: number, apiVersion: number): number {
  const correlationId = reader.int32();
  if (responseHeaderVersion(apiKey, apiVersion) === 1) reader.skipTags();
  return correlationId;
}

export function writeResponseHeader(writer: Writer, apiKey: number, apiVersion: number, correlationId: number): void {
  writer.int32(correlationId);
  if (responseHeaderVersion(apiKey, apiVersion) === 1) writer.uvarint(0);
}
