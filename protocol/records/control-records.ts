import { array, data, int16, int32, int64, string, struct, uint16, uuid } from '../schema.ts';

const voter = {
  voterId: int32('0+'),
  voterDirectoryId: uuid('1+'),
};

export const ControlRecordTypeSchema = data(
  { name: 'ControlRecordTypeSchema', versions: '0', flexible: 'none' },
  {
    type: int16('0+'),
  },
);

export const EndTxnMarker = data(
  { name: 'EndTxnMarker', versions: '0', flexible: 'none' },
  {
    coordinatorEpoch: int32('0+'),
  },
);

export const KRaftVersionRecord = data(
  { name: 'KRaftVersionRecord', versions: '0', flexible: '0+' },
  {
    version: int16('0+'),
    kRaftVersion: int16('0+'),
  },
);

export const LeaderChangeMessage = data(
  { name: 'LeaderChangeMessage', versions: '0-1', flexible: '0+' },
  {
    version: int16('0+'),
    leaderId: int32('0+'),
    voters: array('0+', voter),
    grantingVoters: array('0+', voter),
  },
);

export const SnapshotFooterRecord = data(
  { name: 'SnapshotFooterRecord', versions: '0', flexible: '0+' },
  {
    version: int16('0+'),
  },
);

export const SnapshotHeaderRecord = data(
  { name: 'SnapshotHeaderRecord', versions: '0', flexible: '0+' },
  {
    version: int16('0+'),
    lastContainedLogTimestamp: int64('0+'),
  },
);

export const VotersRecord = data(
  { name: 'VotersRecord', versions: '0', flexible: '0+' },
  {
    version: int16('0+'),
    voters: array('0+', {
      voterId: int32('0+'),
      voterDirectoryId: uuid('0+'),
      endpoints: array('0+', {
        name: string('0+'),
        host: string('0+'),
        port: uint16('0+'),
      }),
      kRaftVersionFeature: struct('0+', {
        minSupportedVersion: int16('0+'),
        maxSupportedVersion: int16('0+'),
      }),
    }),
  },
);
