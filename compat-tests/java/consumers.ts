import { join } from 'node:path';
import { ConsumerProcess } from '../consumer-process.ts';
import { programCommand } from '../oracle/tool.ts';

/** Java consumers of one group (Consumers.java). A subscription is topic=..., regex=... or pattern=... */
export function javaConsumers(bootstrapServers: string, group: string): ConsumerProcess {
  const source = join(import.meta.dirname, 'Consumers.java');
  return new ConsumerProcess('java', programCommand(source, [bootstrapServers, group]));
}
