import { generate } from 'selfsigned';

/** PEM texts of a self-signed certificate for this machine's loopback names; `cert` is also the `ca` to trust. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Makes a fresh certificate, valid for a day, for `localhost`, 127.0.0.1, ::1 and further DNS `names`. */
export async function createCertificate(names: readonly string[] = []): Promise<Certificate> {
  const altNames = [
    ...['localhost', ...names].map((value) => ({ type: 2 as const, value })),
    ...['127.0.0.1', '::1'].map((ip) => ({ type: 7 as const, ip })),
  ];
  const now = Date.now();
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - 3_600_000),
    notAfterDate: new Date(now + 86_400_000),
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  return { key, cert };
}
