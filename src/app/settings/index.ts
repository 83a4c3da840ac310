export { type DotenvFile, type DotenvOptions, readDotenv } from './dotenv-file.js';
export { type Closeness, nearestName, type Slip, slipsIn } from './misspelt.js';
