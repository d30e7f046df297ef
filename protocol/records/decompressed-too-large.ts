import { MalformedError } from '../malformed.ts';

/** Compressed records hold more than their reader takes; unlike other malformed ones they may well be in order. */
export class DecompressedTooLargeError extends MalformedError {}
