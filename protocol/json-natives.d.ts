/** JSON.rawJSON: in V8 since 11.4, in TypeScript's libraries not yet. */
declare global {
  interface JSON {
    rawJSON(text: string): object;
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  }
}

export {};
