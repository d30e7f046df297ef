/** The direction of the design: protocol <- storage <- partition, coordinator, raft <- share, group, transaction, controller <- api <- net <- node.ts. */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|protocol|storage)/', pathNot: allowed },
});
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    only('protocol-is-pure', '^protocol/', '^protocol/'),
    only('storage-knows-batches-only', '^storage/', '^(storage|protocol)/'),
    only('config-stands-alone', '^src/config/', '^(src/config/|protocol/)'),
    only('partition', '^src/partition/', '^(src/(partition|env|config)|storage|protocol)'),
    only('coordinator', '^src/coordinator/', '^(src/(coordinator|env)|protocol)'),
    only('raft', '^src/raft/', '^(src/(raft|env)|storage|protocol)'),
    only('controller', '^src/controller/', '^(src/(controller|raft|env|config)|storage|protocol)'),
    only('group', '^src/group/', '^(src/(group|coordinator|controller/image|share/persister|env|config)|protocol)'),
    only(
      'transaction-coordinator',
      '^src/transaction/coordinator/',
      '^(src/(transaction/coordinator|coordinator|controller/image|env|config)|protocol)',
    ),
    only(
      'transaction-partition',
      '^src/transaction/partition/',
      '^(src/(transaction|partition|coordinator|env|config)|storage|protocol)',
    ),
    only('share', '^src/share/', '^(src/(share|partition|coordinator|controller/image|env|config)|storage|protocol)'),
    only('api', '^src/api/', '^(src/(?!net/|node[./]|index\\.ts|cli/|main\\.ts)|storage|protocol)'),
    only('net', '^src/net/', '^(src/(net|api|env|config)|protocol)'),
    {
      name: 'disk-owns-the-file-system',
      severity: 'error',
      from: {
        path: '^(protocol|storage|src)/',
        pathNot: '^(storage/disk|storage/node-disk|src/node\\.ts|src/cli/|src/config/|src/main\\.ts)',
      },
      to: { path: '^(node:)?fs' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
