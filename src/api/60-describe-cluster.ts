import { KafkaError } from '../../protocol/errors.ts';
import { DescribeClusterRequest, DescribeClusterResponse } from '../../protocol/messages/60-describe-cluster.ts';
import { CLUSTER_OPERATIONS, NOT_ASKED } from '../security/authorized-operations.ts';
import { handler, type RequestContext } from './handler.ts';

const BROKERS = 1;
const CONTROLLERS = 2;

/** DescribeCluster (KIP-700): the brokers of this listener; from version 2 on the fenced ones too (KIP-1073). */
export const describeCluster = handler({
  request: DescribeClusterRequest,
  response: DescribeClusterResponse,
  versions: [0, 2],

  handle(context, request) {
    checkEndpointType(request.endpointType);
    const { broker, connection } = context;
    const alive = broker.endpoints(connection.listenerName).map(({ nodeId, host, port, rack }) => ({
      brokerId: nodeId,
      host,
      port,
      rack,
    }));
    return {
      clusterId: broker.clusterId,
      controllerId: broker.nodeId,
      brokers: request.includeFencedBrokers ? [...alive, ...fenced(context)] : alive,
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NOT_ASKED,
    };
  },

  failed: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage, clusterId: '' }),
});

function checkEndpointType(type: number): void {
  if (type === BROKERS) return;
  if (type !== CONTROLLERS) throw new KafkaError('UNSUPPORTED_ENDPOINT_TYPE', `Unsupported endpoint type ${type}`);
  throw new KafkaError(
    'MISMATCHED_ENDPOINT_TYPE',
    'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER',
  );
}

function fenced({ broker, connection }: RequestContext) {
  return [...broker.image().brokers()].flatMap(({ id, rack, fenced: isFenced, endpoints }) => {
    const endpoint = endpoints.find(({ name }) => name === connection.listenerName);
    if (!isFenced || endpoint === undefined) return [];
    return [{ brokerId: id, host: endpoint.host, port: endpoint.port, rack, isFenced }];
  });
}
