/**
 * The contract of a handler: one file per API (`api/NN-name.ts`) that owns the version range it serves. `ApiVersions` is
 * derived from these ranges, never from the schemas.
 */
import type { InputOf, Message, MessageOf } from '../../protocol/schema.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';

/** What a handler is given beside the request. */
export interface RequestContext {
  readonly broker: Broker;
  readonly connection: Connection;
  readonly apiVersion: number;
  readonly clientId: string | null;
}

/** A response now, later, or (`null`: Produce with acks=0) none. */
export type Outcome<Res extends Message> = InputOf<Res> | null | Promise<InputOf<Res> | null>;

export interface Handler<Req extends Message = Message, Res extends Message = Message> {
  readonly request: Req;
  readonly response: Res;
  /** Lowest and highest version served. */
  readonly versions: readonly [number, number];
  /** Where the lowest version told to clients differs from the lowest served (Produce: KAFKA-18659). */
  readonly advertisedMin?: number;
  /** May throw KafkaError where the response has one top-level error code: `failed` then builds the response. */
  handle(context: RequestContext, request: MessageOf<Req>): Outcome<Res>;
  /** The response to a request whose handling threw; `code` is Kafka's error code. */
  failed(request: MessageOf<Req>, code: number, message: string | null, apiVersion: number): InputOf<Res> | null;
}

/** Declares a handler; the identity function that gives the types. */
export function handler<Req extends Message, Res extends Message>(h: Handler<Req, Res>): Handler<Req, Res> {
  return h;
}
