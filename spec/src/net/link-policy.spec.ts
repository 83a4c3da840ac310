import assert from 'node:assert/strict';
import { createLinkPolicy, shown } from '../../../src/net/index.js';

describe('link policy', () => {
  const strict = createLinkPolicy();
  const open = createLinkPolicy({ allowPrivate: true });

  const refused: readonly (readonly [string, string])[] = [
    ['file:///etc/passwd', 'a local file'],
    ['data:video/mp4;base64,AAAA', 'data in the link'],
    ['ftp://example.com/clip.mp4', 'another protocol'],
    ['javascript:alert(1)', 'a script'],
    ['blob:https://example.com/1', 'a blob'],
    ['clip.mp4', 'no URL at all'],
    ['', 'nothing'],
    ['https://', 'no host'],
    ['https://user:secret@example.com/', 'credentials'],
    ['https://user@example.com/', 'a user name'],
    ['http://localhost/', 'this machine by name'],
    ['http://LOCALHOST./', 'this machine by name, root dot'],
    ['http://app.localhost/', 'this machine by a name below localhost (RFC 6761)'],
    ['http://127.0.0.1/', 'loopback'],
    ['http://127.8.9.10/', 'loopback is a /8'],
    ['http://0.0.0.0/', 'any address reaches this machine'],
    ['http://10.1.2.3/', 'private'],
    ['http://172.16.0.1/', 'private, first'],
    ['http://172.31.255.255/', 'private, last'],
    ['http://192.168.1.1/', 'private'],
    ['http://100.64.0.1/', 'CGNAT'],
    ['http://100.100.100.200/', 'metadata of Alibaba, in CGNAT'],
    ['http://169.254.169.254/latest/meta-data/', 'metadata of most clouds, link-local'],
    ['http://168.63.129.16/', 'host agent of Azure'],
    ['http://192.0.0.192/', 'metadata of Oracle'],
    ['http://198.18.0.1/', 'benchmarking'],
    ['http://203.0.113.7/', 'documentation'],
    ['http://224.0.0.1/', 'multicast'],
    ['http://255.255.255.255/', 'broadcast'],
    ['http://2130706433/', 'loopback as one decimal number'],
    ['http://0x7f000001/', 'loopback in hexadecimal'],
    ['http://0177.0.0.1/', 'loopback in octal'],
    ['http://127.1/', 'loopback with parts left out'],
    ['http://134744072/', 'a public address as one decimal number: nobody writes that honestly'],
    ['http://8.8.8.010/', 'a public address, partly octal'],
    ['http://①②⑦.0.0.1/', 'loopback in other digits'],
    ['http:\\\\127.0.0.1\\', 'loopback behind backslashes'],
    ['http://[::1]/', 'loopback'],
    ['http://[::]/', 'any address'],
    ['http://[::ffff:127.0.0.1]/', 'IPv4-mapped loopback'],
    ['http://[::ffff:8.8.8.8]/', 'IPv4-mapped public address'],
    ['http://[::127.0.0.1]/', 'IPv4-compatible'],
    ['http://[64:ff9b::7f00:1]/', 'loopback through NAT64'],
    ['http://[2002:7f00:1::]/', 'loopback through 6to4'],
    ['http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/', 'Teredo'],
    ['http://[fe80::1]/', 'link-local'],
    ['http://[fd00:ec2::254]/', 'metadata of AWS, unique local'],
    ['http://[fec0::1]/', 'site-local'],
    ['http://[ff02::1]/', 'multicast'],
    ['http://[2001:db8::1]/', 'documentation'],
  ];
  for (const [link, reason] of refused) {
    it(`refuses ${link || '(empty)'}: ${reason}`, () => {
      assert.throws(() => strict.checkUrl(link), { code: 'ERR_SOURCE_REFUSED' });
    });
  }

  const accepted: readonly (readonly [string, string])[] = [
    ['https://example.com/clip.mp4?token=1', 'a name: judged again when it is resolved'],
    ['http://example.com:8080/clip.mp4', 'plain http, another port'],
    ['https://8.8.8.8/clip.mp4', 'a public address'],
    ['https://172.32.0.1/', 'just behind the private range'],
    ['https://100.128.0.1/', 'just behind CGNAT'],
    ['https://[2606:4700:4700::1111]/', 'a public IPv6 address'],
    ['https://localhost.example.com/', 'a name that only begins like it'],
    ['  https://1.1.1.1/  ', 'blanks around, as the URL parser allows'],
  ];
  for (const link of ['http://127.0.0.1/', 'http://localhost/', 'http://[::1]/']) {
    it(`names the setting that lets ${link} pass`, () =>
      assert.throws(() => strict.checkUrl(link), { code: 'ERR_SOURCE_REFUSED', message: /ALLOW_PRIVATE_URLS=1/ }));
  }

  for (const [link, reason] of accepted) {
    it(`accepts ${link}: ${reason}`, () => {
      assert.equal(strict.checkUrl(link).href, new URL(link).href);
    });
  }

  it('judges resolved addresses by the same ranges', () => {
    for (const address of ['127.0.0.1', '10.0.0.1', '::1', '::ffff:10.0.0.1', 'fe80::1%eth0', 'example.com', '']) {
      assert.equal(strict.allowsAddress(address), false, address);
    }
    for (const address of ['8.8.8.8', '2606:4700:4700::1111'])
      assert.equal(strict.allowsAddress(address), true, address);
  });

  it('lets private addresses pass where that is allowed, but no other scheme and no credentials', () => {
    assert.equal(open.checkUrl('http://127.0.0.1:9/').host, '127.0.0.1:9');
    assert.equal(open.allowsAddress('169.254.169.254'), true);
    assert.throws(() => open.checkUrl('file:///etc/passwd'), { code: 'ERR_SOURCE_REFUSED' });
    assert.throws(() => open.checkUrl('http://a:b@127.0.0.1/'), { code: 'ERR_SOURCE_REFUSED' });
  });

  it('keeps secrets of the link out of the error', () => {
    const link = 'https://user:secret@example.com/clip.mp4?signature=topsecret';
    assert.throws(
      () => strict.checkUrl(link),
      (error: Error & { details: unknown }) => !/secret/.test(error.message + JSON.stringify(error.details)),
    );
  });
});

describe('shown', () => {
  const rows: readonly [why: string, link: string, written: string][] = [
    ['a query carries signatures', 'https://cdn.example/a.mp4?sig=secret#x', 'https://cdn.example/a.mp4'],
    ['so do credentials', 'https://user:secret@cdn.example:8443/a.mp4', 'https://cdn.example:8443/a.mp4'],
    ['also where it is no URL', 'https://user:secret@cdn.example:99999/a?key=secret', 'cdn.example:99999/a'],
    ['a scheme and its content', 'user:secret@cdn.example/a.mp4', 'user:…'],
    ['data in the link itself', 'data:text/plain,secret', 'data:…'],
    ['a path', './clips/a.mp4', './clips/a.mp4'],
    ['a file', 'file:///clips/a.mp4', 'file:///clips/a.mp4'],
    ['long', `https://cdn.example/${'a'.repeat(9_000)}`, `https://cdn.example/${'a'.repeat(180)}`],
  ];
  for (const [why, link, written] of rows) {
    it(`${why}: ${link.slice(0, 60)}`, () => assert.equal(shown(link), written));
  }
});
