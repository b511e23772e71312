/** The page that lies in a pack: how it is started, and how an engine of TensorRT is made of it and compared. */
import type { PackedModel } from './runner/pack-info.ts';

export function readmeText(models: readonly PackedModel[], carries: boolean): string {
  return `# Labels on this machine

${carries ? 'Node 22.13 or newer is needed, and nothing else.' : 'Node 22.13 or newer is needed, and once: `npm install --omit=dev --ignore-scripts`.'}

    node run.mjs --check
    node run.mjs FOLDER --to results
    node run.mjs rtsp://10.0.0.7/stream --to results

Models run on the processor: ONNX Runtime ships no GPU provider for Node on a Jetson. Take the results back with
\`labelsmith import edge results\`.
${models.map(engineText).join('')}`;
}

function engineText({ key, files, golden }: PackedModel): string {
  const outputs = 'outputs.json';
  const half = files.float16;
  const make = [
    '    # TensorRT 8.6 and 10',
    `    trtexec --onnx=${files.float32} --saveEngine=model.engine${half === undefined ? '' : ' --fp16'}`,
    '    # TensorRT 11, where types are those of the file',
    `    trtexec --onnx=${half ?? files.float32} --saveEngine=model.engine`,
  ];
  return `
## ${key} with TensorRT

${make.join('\n')}
    trtexec --loadEngine=model.engine --loadInputs=pixels:${golden.pixels} --exportOutput=${outputs}
    labelsmith edge verify PACK.tar.gz ${outputs}
`;
}
