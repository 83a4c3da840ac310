const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as it stands in HTML or SVG, also between double quotes. */
export const escapeMarkup = (text: string): string => text.replace(/[&<>"]/g, (letter) => entities[letter] ?? letter);
