/** Which of Python's writers a text is brought to: `json.dumps(x)` or `json.dumps(x, separators=(',', ':'), ensure_ascii=False)`. */
export type PythonJsonStyle = 'default' | 'compact';

/** Strings, runs of white space and separators; what is not matched (numbers, literals, brackets) is copied as it is. */
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[ \t\n\r]+|[,:]/g;
const unusual = /[^ -[\]-~]/;
const notPlainAscii = /["\\]|[^ -~]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped
const notPlainCompact = /["\\\u0000-\u001f]/g;
const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\b': '\\b',
};

/**
 * Rewrites a JSON text as Python's `json.dumps` would have written the same value, so that a signature over the signed
 * form can be checked against a body that travelled in another one (docs/protocol.md §1). Tokens are rewritten and
 * never parsed into values: `JSON.stringify(JSON.parse(text))` changes numbers (`1.0`, `1e3`, 2^63).
 * `text` must be valid JSON; anything else gives an unspecified string.
 */
export function toPythonJson(text: string, style: PythonJsonStyle): string {
  const [comma, colon, special] = style === 'default' ? [', ', ': ', notPlainAscii] : [',', ':', notPlainCompact];
  return text.replace(tokens, (token) => {
    if (token === ',') return comma;
    if (token === ':') return colon;
    if (token[0] !== '"') return '';
    // Most strings hold nothing that any of the forms writes in another way.
    if (!unusual.test(token)) return token;
    const value: string = JSON.parse(token);
    return `"${value.replace(special, (unit) => shortEscapes[unit] ?? unicodeEscape(unit))}"`;
  });
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
