import type { Answer } from '../scene/index.js';
export async function drawAnswer(_target: string, _answer: Answer, _out: string): Promise<void> {}
