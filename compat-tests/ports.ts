import { createServer } from 'node:net';

/**
 * A port that is free together with the next one. The range lies below the ports that the system gives to outgoing
 * connections, so that a port stays free while its broker restarts; COMPAT_PORTS=FIRST-LAST moves it.
 */
export async function freePortPair(): Promise<number> {
  const [first, last] = (process.env.COMPAT_PORTS ?? '19100-19199').split('-').map(Number);
  const pairs = Math.floor((last - first + 1) / 2);
  const start = Math.floor(Math.random() * pairs);
  for (let i = 0; i < pairs; i++) {
    const port = first + 2 * ((start + i) % pairs);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
  throw new Error(`no two neighbouring free ports in ${first}-${last}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
