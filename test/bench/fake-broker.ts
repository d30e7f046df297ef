/** `node fake-broker.ts PORT`: answers every request as if it were Metadata 1 of a cluster with one broker. */
import { createServer } from 'node:net';
import { ByteWriter } from '../../scripts/bench/wire.ts';

const metadata = new ByteWriter()
  .int32(1)
  .int32(1)
  .string('127.0.0.1')
  .int32(9092)
  .string(null)
  .int32(1)
  .int32(0)
  .done();
const answer = new ByteWriter()
  .int32(4 + metadata.length)
  .int32(0)
  .raw(metadata)
  .done();

createServer((socket) => {
  socket.on('data', () => socket.write(answer));
  socket.on('error', () => socket.destroy());
}).listen(Number(process.argv[2]), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
