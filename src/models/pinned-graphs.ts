/**
 * What the built-in models are once they are composed by their default recipe: the SHA-256 of the whole graph. It lies here
 * and not in the cache, so that whoever can write to the cache cannot put another graph in a model's place.
 *
 * They change with a converter, the composer or an entry of the catalogue: `graph-types.test.ts` says what to write here.
 */
export const PINNED_GRAPHS: Readonly<Record<string, string>> = {
  centernet: 'ef17e4724df6385660a894ad923c3ec6120306011c8705f50638dcd779735993',
  nanodet: 'b64d9c19f4a2fb8b14803f3ba1c21f7b5f4ae4a4931ec436ae24d57c2fe2f11e',
  'mobilenetv3-small': 'e979418b0988cf885e97fcf50966faa454076b1787721e189198fc26753ddd87',
  'centernet-backbone': 'f4b7afb4ddde34b9a49e892682f47fc20acb6390a3c8def47f40b13b5cc066a6',
  'mobilenetv2-12-qdq': '59e82d92ee37bc6d1f387e24769cbcc57b1b42cce3beeb2644ec39d2ddee1bd2',
  'efficientnet-lite0-int8': '8239cdd0c22a6dc46571c613089d07db4d225cb7fec44c3680b1b2b7e164dca0',
  'efficientnet-lite0': '6da91e0a0d11eade785f954aa0031186d8b3952d85ae775cbacdd3f7ca216cfa',
  'efficientnet-lite1-int8': 'f8861d12fc22bafb2f0e890a16897af97254fe2effad170c187398c98fe38a95',
  'efficientnet-lite1': 'aa42138c3a05daf11acc68bed622fb609ca3cc5af093fbb4431d41c5a25fb9b6',
  'efficientnet-lite2-int8': '180e8a0c7f8bc2b4b4bf767ad0712a71f2d7cebb99b47086f78f1f7328929fac',
  'efficientnet-lite2': 'fc71f7ff106071ef7c519be6a2e0cba6d0ccf417780ce1a51d6fbdd9c7af1e43',
  'movenet-lightning': 'c4dbc26b423b46912818e00d4d6c695d1429f2a800c10fcda90c13c0792e3bec',
  'movenet-thunder': 'e180ca2a4ae7aea45712a4c855784ac73994d0cc2749939c654b96056c28d84f',
  'pp-ocr-v4': '3a74ab2adbd4c9e8c31cfc819898841e2637ecf6334e47f69473f19f649cec10',
};
