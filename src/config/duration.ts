const PARTS = /^p(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d{1,9})?)s)?)?$/i;

/** A duration as java.time.Duration prints it (PnDTnHnMn.nS), in whole milliseconds; null for anything else. */
export function durationMs(text: string): number | null {
  const match = PARTS.exec(text);
  if (match === null) return null;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return Math.floor((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000);
}
