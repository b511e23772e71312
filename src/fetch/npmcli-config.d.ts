/** `@npmcli/config` comes without types: the part of it that `npm-registry.ts` uses. */
declare module '@npmcli/config' {
  export default class Config {
    constructor(options: {
      npmPath: string;
      definitions: unknown;
      shorthands: unknown;
      flatten: unknown;
      argv: readonly string[];
      env: NodeJS.ProcessEnv;
      cwd: string;
    });
    load(): Promise<void>;
    readonly flat: Readonly<Record<string, unknown>>;
  }
}

declare module '@npmcli/config/lib/definitions/index.js' {
  const npm: { readonly definitions: unknown; readonly shorthands: unknown; readonly flatten: unknown };
  export default npm;
}
