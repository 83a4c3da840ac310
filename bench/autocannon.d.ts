/** The part of autocannon that `bench/serve.ts` uses; the package ships no types. */
declare module 'autocannon' {
  interface Options {
    readonly url: string;
    readonly connections: number;
    /** Requests per second over all connections. */
    readonly overallRate: number;
    /** Seconds. */
    readonly duration: number;
    /** Threads that send; without it, the calling one does. */
    readonly workers?: number;
  }
  interface Result {
    /** ms. */
    readonly latency: { readonly p50: number; readonly p97_5: number; readonly p99: number; readonly max: number };
    readonly requests: { readonly total: number };
    readonly errors: number;
    readonly non2xx: number;
  }
  export default function autocannon(options: Options): Promise<Result>;
}
