import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

let ticksPerSecond = 0;

/** CPU time of a whole process (all threads, user and system) in seconds, from /proc/PID/stat. */
export function cpuSeconds(pid: number): number {
  ticksPerSecond ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the command in parentheses and may hold blanks; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function memoryMib(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} has no ${field}: it has ended`);
  return Number(kib) / 1024;
}

/** Resident memory of a process in MiB (VmRSS), from /proc/PID/status. */
export function residentMib(pid: number): number {
  return memoryMib(pid, 'VmRSS');
}

/** The most resident memory that a process has had so far, in MiB (VmHWM), from /proc/PID/status. */
export function peakResidentMib(pid: number): number {
  return memoryMib(pid, 'VmHWM');
}

/** Files and sockets that a process holds open, by the entries of /proc/PID/fd. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
