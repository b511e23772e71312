/**
 * The tools of `tools.ts` over the Model Context Protocol, on standard input and output, by the protocol's own SDK. The SDK is not
 * installed with this package; it is loaded when this is asked for.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { LABELSMITH_VERSION } from '../../core/version.ts';
import { LabelsmithError, messageOf } from '../../errors.ts';
import { optionalPackage } from '../../sources/cloud/optional-package.ts';
import { AGENT_TOOLS, type AgentContext } from './tools.ts';

const SDK = '@modelcontextprotocol/sdk';

/** A transport of the SDK: standard input and output, or a pair of a test. */
type Transport = Parameters<
  InstanceType<typeof import('@modelcontextprotocol/sdk/server/index.js').Server>['connect']
>[0];

interface ServedAgent extends AgentContext {
  /** What came that is no message, in words; a message larger than 10 MB ends it. */
  readonly onProblem?: (text: string) => void;
}

/** Serves until the other side closes, or the signal comes. What was asked for before the end of the input is answered. */
export async function serveMcp(context: ServedAgent, transport?: Transport): Promise<void> {
  const [{ Server }, { StdioServerTransport }, types] = await optionalPackage(SDK, 'agents', () =>
    Promise.all([
      import('@modelcontextprotocol/sdk/server/index.js'),
      import('@modelcontextprotocol/sdk/server/stdio.js'),
      import('@modelcontextprotocol/sdk/types.js'),
    ]),
  );
  const server = new Server(
    { name: 'labelsmith', version: LABELSMITH_VERSION },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  server.setRequestHandler(types.ListToolsRequestSchema, () => ({
    tools: AGENT_TOOLS.map(({ name, description, readOnly, input }) => ({
      name,
      description,
      inputSchema: { ...z.toJSONSchema(input, { io: 'input' }), type: 'object' as const },
      annotations: { readOnlyHint: readOnly, destructiveHint: false, openWorldHint: false },
    })),
  }));
  const underWay = new Set<Promise<unknown>>();
  server.setRequestHandler(types.CallToolRequestSchema, ({ params }) => {
    const call = answer(context, params.name, params.arguments);
    underWay.add(call);
    void call.finally(() => underWay.delete(call));
    return call;
  });
  server.onerror = (error) =>
    context.onProblem?.(`What the agent sent cannot be taken: ${firstLine(messageOf(error))}`);
  const closeWhenAnswered = async () => {
    // What came last is begun, and what is answered is written, a turn later.
    do await nextTurn();
    while (underWay.size > 0 && (await Promise.allSettled(underWay)));
    await server.close();
  };
  const closed = new Promise<void>((resolve) => {
    server.onclose = resolve;
    context.signal?.addEventListener('abort', () => void server.close());
    // The SDK's transport does not look for the end of what it reads.
    if (!transport) process.stdin.once('end', () => void closeWhenAnswered());
  });
  await server.connect(transport ?? new StdioServerTransport());
  await closed;
}

function firstLine(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

const INSTRUCTIONS =
  'A pile of images, its clusters and classes. Look at contact_sheet before you name a cluster. Names are short nouns, in lower ' +
  'case unless proper. Leave a cluster that is several things as it is and say so. Every change can be taken back with undo.';

async function answer(context: AgentContext, name: string, given: unknown) {
  const tool = AGENT_TOOLS.find((one) => one.name === name);
  const text = (said: string) => ({ type: 'text' as const, text: said });
  if (!tool) return { content: [text(`there is no tool ${name}`)], isError: true };
  try {
    const { value, picture } = await tool.call(context, given ?? {});
    const image = picture && {
      type: 'image' as const,
      mimeType: 'image/jpeg',
      data: Buffer.from(picture).toString('base64'),
    };
    return { content: [text(JSON.stringify(value)), ...(image ? [image] : [])] };
  } catch (error) {
    // What is wrong with one call is told to the agent; the next one may be right.
    const hint = error instanceof LabelsmithError && error.hint ? ` ${error.hint}` : '';
    return { content: [text(`${messageOf(error)}${hint}`)], isError: true };
  }
}
