/** Where the file of a thread is: beside the sources or, in the bundle (scripts/build.ts), one above the chunk that has this. */
export function threadFile(name: string): URL {
  const isSource = import.meta.url.endsWith('.ts');
  return new URL(isSource ? `./${name}.ts` : `../storage-${name.replaceAll('/', '-')}.js`, import.meta.url);
}
