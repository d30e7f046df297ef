import type { ClassicTimer } from './classic/timers.ts';
import type { ConsumerTimer } from './consumer/timers.ts';
import type { ShareTimer } from './share/timers.ts';
import type { StreamsTimer } from './streams/timers.ts';

/** What a group asks to be called for; `groupType` says which kind of group set the timer. */
export type GroupTimer = ClassicTimer | ConsumerTimer | ShareTimer | StreamsTimer;
