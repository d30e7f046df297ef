import { array, arrayOf, bytes, data, int32, string } from '../schema.ts';

export const ConsumerProtocolAssignment = data(
  { name: 'ConsumerProtocolAssignment', versions: '0-3', flexible: 'none' },
  {
    assignedPartitions: array('0+', {
      topic: string('0+'),
      partitions: arrayOf('0+', 'int32'),
    }),
    userData: bytes('0+', { nullable: '0+', default: null }),
  },
);

export const ConsumerProtocolSubscription = data(
  { name: 'ConsumerProtocolSubscription', versions: '0-3', flexible: 'none' },
  {
    topics: arrayOf('0+', 'string'),
    userData: bytes('0+', { nullable: '0+', default: null }),
    ownedPartitions: array(
      '1+',
      {
        topic: string('1+'),
        partitions: arrayOf('1+', 'int32'),
      },
      { ignorable: true },
    ),
    generationId: int32('2+', { default: -1, ignorable: true }),
    rackId: string('3+', { nullable: '3+', default: null, ignorable: true }),
  },
);
