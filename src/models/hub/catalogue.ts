/** Models of the hub by short names. Nobody ran these here: no hub could be reached when this version was made. */
export interface HubModel {
  readonly id: string;
  readonly repository: string;
  readonly role: 'embedder' | 'detector';
  readonly licence: string;
  readonly description: string;
  readonly stated: string;
}

export const HUB_MODELS: readonly HubModel[] = [];
