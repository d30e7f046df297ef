/** What a heartbeat tells a member beside its tasks (StreamsGroupHeartbeatResponse.Status). */
export const StatusCode = {
  STALE_TOPOLOGY: 0,
  MISSING_SOURCE_TOPICS: 1,
  INCORRECTLY_PARTITIONED_TOPICS: 2,
  MISSING_INTERNAL_TOPICS: 3,
  SHUTDOWN_APPLICATION: 4,
  ASSIGNMENT_DELAYED: 5,
} as const;

export interface Status {
  readonly statusCode: (typeof StatusCode)[keyof typeof StatusCode];
  readonly statusDetail: string;
}

/** Why the topics do not fit the topology; members are told until they do. */
export class TopicProblem extends Error {
  readonly status: Status;

  constructor(code: keyof typeof StatusCode, statusDetail: string) {
    super(statusDetail);
    this.status = { statusCode: StatusCode[code], statusDetail };
  }
}
