import { z } from 'zod';
import { TikitakaError } from '../../operators/index.js';
import type { Exchange } from './put-challenge.js';

/** One line of a streamed answer; what of it is read here. */
const eventSchema = z.object({
  event: z.string(),
  answer: z.unknown().optional(),
  status: z.number().optional(),
  code: z.string().optional(),
  detail: z.unknown().optional(),
  frames_measured: z.number().optional(),
  frames_total: z.number().optional(),
});
export type StreamedEvent = z.infer<typeof eventSchema>;

const errorSchema = z.object({ detail: z.unknown(), code: z.string().optional() });

/** What a challenge came to. */
export type Outcome =
  | { readonly answer: unknown }
  | { readonly refused: { readonly status: number; readonly code?: string | undefined; readonly detail: string } };

/** Cuts a streamed answer into its events, as they come. Errors, thrown by what is returned: ERR_ANSWER for a line that is none. */
export function eventReader(
  onEvent: (event: StreamedEvent, atMs: number) => void,
): (text: string, atMs: number) => void {
  let rest = '';
  return (text, atMs) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onEvent(checked(eventSchema.safeParse(parse(line))), atMs);
  };
}

/** From a plain answer, or from the last event of a streamed one. Errors: ERR_ANSWER for a body that is neither. */
export function outcomeOf({ status, body }: Exchange, last: StreamedEvent | undefined): Outcome {
  if (status < 200 || status >= 300) {
    const text = body.toString();
    const error = errorSchema.safeParse(tryParse(text)).data ?? { detail: text.slice(0, 200) };
    return { refused: { status, code: error.code, detail: wordsOf(error.detail) } };
  }
  if (!last) return { answer: parse(body.toString()) };
  if (last.event === 'answer') return { answer: last.answer };
  const detail = last.event === 'error' ? wordsOf(last.detail) : 'the stream ended without an answer';
  return { refused: { status: last.status ?? status, code: last.code, detail } };
}

const wordsOf = (detail: unknown): string => (typeof detail === 'string' ? detail : JSON.stringify(detail));

function parse(text: string): unknown {
  const value = tryParse(text);
  if (value !== undefined) return value;
  throw new TikitakaError('ERR_ANSWER', `the server's answer is not JSON: ${JSON.stringify(text.slice(0, 80))}`);
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checked<T>(result: z.ZodSafeParseResult<T>): T {
  if (result.success) return result.data;
  throw new TikitakaError('ERR_ANSWER', `the server's stream has another form: ${result.error.issues[0]?.message}`);
}
