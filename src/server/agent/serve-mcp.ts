/**
 * The tools of `tools.ts` over the Model Context Protocol, on standard input and output, by the protocol's own SDK. The SDK is not
 * installed with this package; it is loaded when this is asked for.
 */
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

/** Serves until the other side closes, or the signal comes. */
export async function serveMcp(context: AgentContext, transport?: Transport): Promise<void> {
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
  server.setRequestHandler(types.CallToolRequestSchema, ({ params }) => answer(context, params.name, params.arguments));
  const closed = new Promise<void>((resolve) => {
    server.onclose = resolve;
    context.signal?.addEventListener('abort', () => void server.close());
    // The SDK's transport does not look for the end of what it reads.
    if (!transport) process.stdin.once('end', () => void server.close());
  });
  await server.connect(transport ?? new StdioServerTransport());
  await closed;
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
