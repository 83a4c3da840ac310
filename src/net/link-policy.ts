import { BlockList, isIP } from 'node:net';
import { TikitakaError } from '../../operators/index.js';

/** Decides which links and addresses a stranger may make this machine connect to (server-side request forgery). */
export interface LinkPolicy {
  /**
   * The parsed link, where it is http(s), carries no credentials and names no refused address. Throws ERR_SOURCE_REFUSED.
   * A host *name* passes here: `allowsAddress` judges what it resolves to, at the moment of connecting.
   */
  checkUrl(link: string | URL): URL;
  /** Whether a connection to this IP address (textual form) is allowed. */
  allowsAddress(address: string): boolean;
}

export interface LinkPolicyOptions {
  /** Lets loopback, private and all other special addresses pass; for tests, demos and closed networks. Default false. */
  readonly allowPrivate?: boolean;
}

/** Not globally reachable by the IANA special-purpose registries (RFC 6890 and updates), and what clouds hide behind public ones. */
const REFUSED_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // CGNAT, also Alibaba's metadata address 100.100.100.200
  ['127.0.0.0', 8],
  ['168.63.129.16', 32], // Azure's host agent, a public address
  ['169.254.0.0', 16], // link-local, also the metadata address of most clouds
  ['172.16.0.0', 12],
  ['192.0.0.0', 24], // also Oracle's metadata address 192.0.0.192
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Global unicast is 2000::/3; these parts of it lead elsewhere. All outside of it is refused. */
const REFUSED_IPV6: readonly (readonly [string, number])[] = [
  ['2001::', 23], // Teredo, benchmarking, ORCHID and other protocol assignments
  ['2001:db8::', 32],
  ['2002::', 16], // 6to4 carries an IPv4 address, private ones too
  ['3fff::', 20],
];

const refused = new BlockList();
for (const [network, prefix] of REFUSED_IPV4) refused.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of REFUSED_IPV6) refused.addSubnet(network, prefix, 'ipv6');
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/** How an operator lets such an address pass; said with each refusal of one. */
export const openWith = ' (ALLOW_PRIVATE_URLS=1 lets it pass)';

function isPublic(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !refused.check(address, 'ipv4');
    case 6:
      return globalUnicast.check(address, 'ipv6') && !refused.check(address, 'ipv6');
    default:
      return false;
  }
}

/** Host as written, before the URL parser turns `0x7f.1` or `2130706433` into `127.0.0.1`. */
function writtenHost(link: string): string | undefined {
  return /^\s*[a-z][a-z0-9+.-]*:[\\/]*(?:[^\\/?#]*@)?(\[[^\]]*\]|[^\\/?#:]*)/i.exec(link)?.[1];
}

export function createLinkPolicy({ allowPrivate = false }: LinkPolicyOptions = {}): LinkPolicy {
  function refuse(reason: string, link: string | URL): never {
    throw new TikitakaError('ERR_SOURCE_REFUSED', `Refused link: ${reason}`, {
      details: { reason, link: shown(link) },
    });
  }

  return {
    checkUrl(link) {
      if (!URL.canParse(String(link))) refuse('not a URL', link);
      const url = new URL(String(link));
      if (url.protocol !== 'http:' && url.protocol !== 'https:') refuse(`scheme ${url.protocol} is not http(s)`, link);
      if (url.username !== '' || url.password !== '') refuse('it carries credentials', link);
      if (allowPrivate) return url;
      const host = bareHost(url);
      if (isIP(host) === 4 && writtenHost(String(link)) !== host) refuse('its address is written in disguise', link);
      if (isIP(host) !== 0 && !isPublic(host)) refuse(`${host} is not a public address${openWith}`, link);
      if (/^(.*\.)?localhost\.?$/.test(host)) refuse(`${host} is this machine${openWith}`, link);
      return url;
    },
    allowsAddress(address) {
      return allowPrivate || isPublic(address);
    },
  };
}

/** Host name or address of a URL; IPv6 without its brackets. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

/** A link fit for logs: without credentials and query, where signatures and tokens live. */
export function shown(link: string | URL): string {
  if (!URL.canParse(String(link))) {
    const [written = ''] = String(link).slice(0, 2000).split(/[?#]/, 1);
    return written.replace(/^[^/\\]*[/\\]{2}[^/\\]*@/, '').slice(0, 80);
  }
  const { protocol, host, pathname } = new URL(String(link));
  // `user:password@host` without `//` is a scheme and its content.
  if (host === '' && protocol !== 'file:') return `${protocol}…`.slice(0, 80);
  return `${protocol}//${host}${pathname}`.slice(0, 200);
}
