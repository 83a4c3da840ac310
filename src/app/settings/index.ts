export { type DotenvFile, type DotenvOptions, readDotenv } from './dotenv-file.js';
export { type Closeness, nearestName } from './misspelt.js';
