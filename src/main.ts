#!/usr/bin/env node
import module from 'node:module';

// Compiled code is kept from run to run: start-up is a feature.
module.enableCompileCache();
const { main } = await import('./cli/main.ts');
process.exitCode = await main(process.argv.slice(2));
