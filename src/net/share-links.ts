/**
 * Rewrites a Google-Drive share link, which leads to a web page, to the form that delivers the file (docs/protocol.md §5); any other
 * link comes back as it was.
 */
export function directLink(url: URL): URL {
  if (url.hostname !== 'drive.google.com' && url.hostname !== 'docs.google.com') return url;
  const id = /\/(?:file\/(?:u\/\d+\/)?|u\/\d+\/)?d\/([\w-]+)/.exec(url.pathname)?.[1] ?? url.searchParams.get('id');
  if (!id) return url;
  const direct = new URL('https://drive.usercontent.google.com/download');
  direct.searchParams.set('id', id);
  direct.searchParams.set('export', 'download');
  direct.searchParams.set('confirm', 't');
  const resourceKey = url.searchParams.get('resourcekey');
  if (resourceKey) direct.searchParams.set('resourcekey', resourceKey);
  return direct;
}
