import { array, bytes, coordinatorKey, coordinatorValue, int32, int64, string } from '../schema.ts';

const memberMetadata = {
  memberId: string('0+'),
  groupInstanceId: string('3+', { nullable: '3+', default: null, ignorable: true }),
  clientId: string('0+'),
  clientHost: string('0+'),
  rebalanceTimeout: int32('1+', { default: -1, ignorable: true }),
  sessionTimeout: int32('0+'),
  subscription: bytes('0+'),
  assignment: bytes('0+'),
};

export const GroupMetadataKey = coordinatorKey(
  { name: 'GroupMetadataKey', apiKey: 2, versions: '0', flexible: 'none' },
  {
    group: string('0'),
  },
);

export const GroupMetadataValue = coordinatorValue(
  { name: 'GroupMetadataValue', apiKey: 2, versions: '0-4', flexible: '4+' },
  {
    protocolType: string('0+'),
    generation: int32('0+'),
    protocol: string('0+', { nullable: '0+' }),
    leader: string('0+', { nullable: '0+' }),
    currentStateTimestamp: int64('2+', { default: -1, ignorable: true }),
    members: array('0+', memberMetadata),
  },
);
