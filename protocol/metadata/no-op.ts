import { metadata } from '../schema.ts';

export const NoOpRecord = metadata({ name: 'NoOpRecord', apiKey: 20, versions: '0', flexible: '0+' }, {});
