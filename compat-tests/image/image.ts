import { join } from 'node:path';
import {
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';

export type Engine = Awaited<ReturnType<typeof getContainerRuntimeClient>>;

const repository = join(import.meta.dirname, '..', '..');
const STOP_TIMEOUT_MS = 10_000;

/** Docker, or what answers in its place; undefined where nothing does. */
export async function findEngine(): Promise<Engine | undefined> {
  try {
    return await getContainerRuntimeClient();
  } catch {
    return undefined;
  }
}

/** The image under test: `remove` takes away what was built for this run. */
export type Image = { name: string; remove(): Promise<void> };

/** How containers reach the network, here and while the image is built: Docker's own way, or `host`. */
const networkMode = process.env.ODRADEK_TEST_DOCKER_NETWORK;

/** Builds the Dockerfile, on another base where ODRADEK_TEST_NODE_IMAGE names one; ODRADEK_TEST_IMAGE is taken as it is. */
export async function imageUnderTest(engine: Engine): Promise<Image> {
  const given = process.env.ODRADEK_TEST_IMAGE;
  if (given !== undefined) return { name: given, remove: async () => {} };
  const name = `localhost/odradek-test:${process.pid}`;
  const base = process.env.ODRADEK_TEST_NODE_IMAGE;
  const buildargs: Record<string, string> = base === undefined ? {} : { NODE_IMAGE: base };
  await engine.image.build(repository, { t: name, buildargs, networkmode: networkMode });
  // A failing build goes by in silence.
  if (!(await engine.image.exists(ImageName.fromString(name))))
    throw new Error('the Dockerfile does not build; DEBUG=testcontainers:build tells why');
  return { name, remove: () => engine.container.dockerode.getImage(name).remove() };
}

export type ContainerOptions = {
  image: Image;
  /** Published under the same number, so that what odradek advertises holds for clients outside as well. */
  port: number;
  /** Of a Docker volume for the data. */
  volume: string;
  environment?: Record<string, string>;
  command?: string[];
  files?: { content: string; target: string }[];
};

/** A container that serves on localhost:PORT. */
export async function startContainer(options: ContainerOptions): Promise<StartedTestContainer> {
  const { image, port, volume, environment = {}, command = [], files = [] } = options;
  const container = new GenericContainer(image.name)
    .withEnvironment(environment)
    .withCommand(['--port', String(port), ...command])
    .withCopyContentToContainer(files)
    .withBindMounts([{ source: volume, target: '/var/lib/odradek/data' }])
    .withWaitStrategy(Wait.forLogMessage(/odradek ready: /))
    .withStartupTimeout(20_000);
  if (networkMode === 'host') container.withNetworkMode(networkMode);
  else container.withExposedPorts({ container: port, host: port });
  return await container.start();
}

/** Ends a container as `docker stop` does and removes it; gives the exit code of its process. */
export async function stopContainer(engine: Engine, container: StartedTestContainer): Promise<number> {
  const handle = engine.container.getById(container.getId());
  await container.stop({ timeout: STOP_TIMEOUT_MS, remove: false });
  const { State } = await engine.container.inspect(handle);
  await engine.container.remove(handle);
  return State.ExitCode;
}
