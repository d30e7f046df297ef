/** Node's own fixed-encoding buffer methods: stable and fast, but missing from @types/node. */
declare global {
  interface Buffer {
    utf8Slice(start: number, end: number): string;
    latin1Slice(start: number, end: number): string;
    base64urlSlice(start: number, end: number): string;
    utf8Write(text: string, offset: number, length: number): number;
    base64urlWrite(text: string, offset: number, length: number): number;
  }
}

export {};
