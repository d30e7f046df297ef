/** Adds up vitest's JSON reports and prints one line: `tests: 812 passed, 0 failed, 3 skipped`. Exit code 1 where one failed. */
import { readFileSync } from 'node:fs';

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numFailedTestSuites: number;
  success: boolean;
}

const sum = { passed: 0, failed: 0, skipped: 0 };
let brokenSuites = 0;
for (const path of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
  sum.passed += report.numPassedTests;
  sum.failed += report.numFailedTests;
  sum.skipped += report.numPendingTests + report.numTodoTests;
  // a file that failed to load counts no test at all
  if (!report.success && report.numFailedTests === 0) brokenSuites++;
}
sum.failed += brokenSuites;
console.log(`tests: ${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
