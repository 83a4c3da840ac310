/** Downloads 4 MB into the folder that is named, and says what became of it. */
import { TikitakaError } from '../../operators/index.js';
import { downloadToFile } from '../../src/net/index.js';
import { patternBytes } from './bytes.js';
import { memorySource } from './memory-source.js';

process.env.TMPDIR = process.argv[2];
const source = memorySource(patternBytes(4_000_000));
try {
  await downloadToFile(source);
} catch (error) {
  if (!(error instanceof TikitakaError)) throw error;
  const { code, details } = error;
  process.stdout.write(JSON.stringify({ code, reason: details.reason, isOpen: source.open > 0 }));
}
