export type { Frame } from './frame.js';
