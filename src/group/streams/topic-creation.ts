/** Internal topics of applications are created while their members go on to heartbeat; what fails is told with a heartbeat. */
import { ErrorCode, errorName } from '../../../protocol/errors.ts';
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../../protocol/messages/19-create-topics.ts';
import type { InputOf, MessageOf } from '../../../protocol/schema.ts';
import type { CreatableTopic } from './internal-topics.ts';

/** The controller's. */
export type CreateTopics = (
  request: MessageOf<typeof CreateTopicsRequest>,
) => Promise<InputOf<typeof CreateTopicsResponse>>;

/** Failures that are remembered; the oldest go first. */
const ERRORS_MAX = 1000;

export interface CreationContext {
  readonly create: CreateTopics;
  /** How long the controller may take. */
  readonly timeoutMs: number;
  /** How long a failure is told, and the topic not tried again. */
  readonly errorMs: number;
  nowMs(): number;
}

export class TopicCreation {
  private readonly inFlight = new Set<string>();
  private readonly errors = new Map<string, { readonly message: string; readonly untilMs: number }>();

  /** Begins to create those that are not on their way already and have not failed just now. */
  begin(topics: readonly CreatableTopic[], context: CreationContext): void {
    const wanted = topics.filter(({ name }) => !this.inFlight.has(name) && !this.errorOf(name, context.nowMs()));
    if (wanted.length === 0) return;
    for (const { name } of wanted) this.inFlight.add(name);
    const failed = (name: string, message: string) => this.remember(name, message, context);
    context
      .create({ topics: wanted, timeoutMs: context.timeoutMs, validateOnly: false })
      .then(
        (response) => {
          for (const { name, errorCode, errorMessage } of response.topics ?? []) {
            if (errorCode) failed(name ?? '', errorMessage || errorName(errorCode));
          }
        },
        (error: unknown) => {
          const message = error instanceof Error ? error.message : errorName(ErrorCode.UNKNOWN_SERVER_ERROR);
          for (const { name } of wanted) failed(name, message);
        },
      )
      .finally(() => {
        for (const { name } of wanted) this.inFlight.delete(name);
      });
  }

  /** What has failed of these, by topic. */
  failures(topics: readonly CreatableTopic[], nowMs: number): Map<string, string> {
    const failures = new Map<string, string>();
    for (const { name } of topics) {
      const message = this.errorOf(name, nowMs);
      if (message !== undefined) failures.set(name, message);
    }
    return failures;
  }

  private errorOf(name: string, nowMs: number): string | undefined {
    const error = this.errors.get(name);
    if (error !== undefined && error.untilMs > nowMs) return error.message;
    this.errors.delete(name);
    return undefined;
  }

  private remember(name: string, message: string, { nowMs, errorMs }: CreationContext): void {
    this.errors.delete(name);
    const [oldest] = this.errors.keys();
    if (this.errors.size >= ERRORS_MAX && oldest !== undefined) this.errors.delete(oldest);
    this.errors.set(name, { message, untilMs: nowMs() + errorMs });
  }
}
