import { codec } from '../../protocol/compile.ts';
import type { Piece } from '../../protocol/deferred-bytes.ts';
import { ErrorCode, errorName, KafkaError } from '../../protocol/errors.ts';
import { responseFrame } from '../../protocol/frame.ts';
import { type RequestHeader, readRequestHeader } from '../../protocol/header.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import { Reader } from '../../protocol/reader.ts';
import type { InputOf, Message } from '../../protocol/schema.ts';
import { apiVersions } from '../api/18-api-versions.ts';
import type { Broker } from '../api/broker.ts';
import { CloseConnection } from '../api/close-connection.ts';
import type { Handler, RequestContext } from '../api/handler.ts';
import type { ClientConnection } from './client-connection.ts';

/** A frame to be sent, in pieces; null where the request has no response (Produce with acks=0). */
export type Frame = Piece[] | null;

/**
 * From a request frame to a response frame: header, handler, version, body. What cannot be answered throws
 * MalformedError, and the connection is closed as Apache Kafka closes it.
 */
export class Dispatcher {
  private readonly handlers = new Map<number, Handler>();
  private readonly broker: Broker;

  constructor(handlers: readonly Handler[], broker: Broker) {
    for (const h of handlers) this.handlers.set(h.request.apiKey as number, h);
    this.broker = broker;
  }

  dispatch(connection: ClientConnection, frame: Buffer): Frame | Promise<Frame> {
    const reader = new Reader(frame);
    const header = readRequestHeader(reader);
    const handler = this.handlers.get(header.apiKey);
    if (handler === undefined) throw new MalformedError(`API key ${header.apiKey} is not served`);
    const [min, max] = handler.versions;
    if (header.apiVersion < min || header.apiVersion > max) return this.unsupported(handler, header);
    const request = codec(handler.request, header.apiVersion).read(reader);
    // bytes behind a whole request are passed over, as Kafka passes over them
    return this.run(handler, header, request, connection);
  }

  private run(
    handler: Handler,
    header: RequestHeader,
    request: object,
    connection: ClientConnection,
  ): Frame | Promise<Frame> {
    const { apiVersion, clientId } = header;
    const context: RequestContext = { broker: this.broker, connection, apiVersion, clientId };
    try {
      const outcome = handler.handle(context, request);
      if (outcome === null) return null;
      if (outcome instanceof Promise) {
        return outcome.then(
          (response) => respond(handler.response, header, response),
          (error) => this.failed(handler, header, request, error),
        );
      }
      return respond(handler.response, header, outcome);
    } catch (error) {
      return this.failed(handler, header, request, error);
    }
  }

  /** A handler threw: Kafka's error code in the form of the API's response. */
  private failed(handler: Handler, header: RequestHeader, request: object, error: unknown): Frame {
    if (error instanceof CloseConnection) throw error;
    const known = error instanceof KafkaError;
    const code = known ? error.code : ErrorCode.UNKNOWN_SERVER_ERROR;
    if (!known) {
      const fields = { api: handler.request.name, version: header.apiVersion, clientId: header.clientId, err: error };
      this.broker.logger.error(fields, `${handler.request.name} failed`);
    }
    const message = known && error.message !== errorName(code) ? error.message : null;
    return respond(handler.response, header, handler.failed(request, code, message, header.apiVersion));
  }

  /** ApiVersions above our range is answered in v0 with the range that we have (KIP-511); any other closes. */
  private unsupported(handler: Handler, header: RequestHeader): Frame {
    if (handler.request.apiKey !== apiVersions.request.apiKey) {
      throw new MalformedError(`${handler.request.name} version ${header.apiVersion} is not served`);
    }
    const [minVersion, maxVersion] = handler.versions;
    const apiKeys = [{ apiKey: header.apiKey, minVersion, maxVersion }];
    return respond(
      ApiVersionsResponse,
      { ...header, apiVersion: 0 },
      { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys },
    );
  }
}

function respond<M extends Message>(message: M, header: RequestHeader, response: InputOf<M> | null): Frame {
  return response === null ? null : responseFrame(message, header.apiVersion, header.correlationId, response);
}
