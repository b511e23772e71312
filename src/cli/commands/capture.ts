import { resolve } from 'node:path';
import { z } from 'zod';
import { hasWorkspace, openWorkspace } from '../../jobs/workspace.ts';
import { cameraSpecs } from '../../stages/capture/camera-spec.ts';
import { type CaptureOptions, capture as captureFrom } from '../../stages/capture/capture.ts';
import { knownElsewhere } from '../../stages/capture/elsewhere.ts';
import { command } from '../command.ts';
import { gaveNothing, healthLine, printCaptured } from '../print/captured.ts';
import { duration, fractionOrTrue, keepLimits, wholeNumber, wholeNumberOrTrue } from '../text-values.ts';
import { argument, option } from '../values.ts';

/** How much of a picture changes at a cut, as ffmpeg measures it. */
const DEFAULT_SCENE = 0.3;
/** Bits of 64: between two pictures of one still scene 0 to 2 differ. */
const DEFAULT_CHANGED_BITS = 4;
const DEFAULT_EVERY_MS = 1000;

export const capture = command({
  name: 'capture',
  summary: 'save frames of cameras and videos into a folder',
  details:
    'A source is rtsp://…, http://… (a stream of JPEGs, or one picture that is asked for again), usb:0 or /dev/video0,\n' +
    'a video file, a folder that a network camera writes into, or lavfi:PATTERN for a test; NAME=SOURCE names it. User and\n' +
    'password of an address are neither shown nor kept. Frames are DIR/CAMERA/DAY/CAMERA-TIME-NUMBER.jpg, times in UTC.\n' +
    'A camera that is silent or goes away is connected again. Cameras and videos are read by the ffmpeg of the system.',
  args: { sources: argument('<source...>', 'cameras, videos or folders', z.array(z.string())) },
  options: {
    to: option('--to <dir>', 'the folder of the frames', z.string({ error: 'the folder of the frames' })),
    every: option('--every <time>', 'one frame each so often (default 1s, without --scene)', duration().optional()),
    scene: option('--scene [score]', 'only at a change of scene, by ffmpeg’s score', fractionOrTrue().optional()),
    changed: option('--changed [bits]', 'only what differs from the last kept frame', wholeNumberOrTrue().optional()),
    count: option('--count <n>', 'end when so many frames of each camera are there', wholeNumber(1).optional()),
    follow: option(
      '--follow',
      'with --count: wait at a folder that has fewer frames (default: with --for; else it ends when all are taken)',
      z.boolean().optional(),
    ),
    for: option('--for <time>', 'end after so long', duration().optional()),
    keep: option(
      '--keep <limits>',
      'delete the oldest that are pushed or added: 20GB, 7d or both',
      keepLimits().optional(),
    ),
    silence: {
      ...option(
        '--silence <time>',
        'a camera that gives nothing for so long is connected again',
        duration().default(10_000),
      ),
      defaultText: '10s',
    },
    health: option('--health <where>', 'how the cameras are: a file, or a port of this machine', z.string().optional()),
  },
  examples: [
    ['labelsmith capture rtsp://user:secret@10.0.0.7/stream --to frames', 'a frame each second'],
    ['labelsmith capture gate=usb:0 yard=http://10.0.0.8/mjpg --to frames --every 5s --keep 20GB,7d', 'two cameras'],
    ['labelsmith capture holiday.mp4 --to frames --scene', 'a frame for each scene of a video'],
  ],
  async run({ args, options, ...context }) {
    const { output, signal, global } = context;
    const cameras = await cameraSpecs(args.sources, process.cwd());
    const { scene, changed, every = scene === undefined ? DEFAULT_EVERY_MS : undefined, keep } = options;
    const to = resolve(options.to);
    const dir = resolve(global.workspace);
    const workspace = keep && hasWorkspace(dir) ? await openWorkspace(dir, { create: false }) : undefined;
    // A camera that gives nothing new is no news again and again, in logs of months.
    let told = '';
    try {
      const settings: CaptureOptions = {
        rule: {
          everyMs: every,
          scene: scene === true ? DEFAULT_SCENE : scene,
          changedBits: changed === true ? DEFAULT_CHANGED_BITS : changed,
        },
        follow: options.follow,
        to,
        count: options.count,
        forMs: options.for,
        silenceMs: options.silence,
        health: options.health,
        signal,
        keep: keep && { ...keep, areSafe: knownElsewhere(to, workspace) },
        onNotice: (text) => output.warn(text),
        onHealth(health) {
          const line = healthLine(health);
          if (line !== told) output.note(line);
          told = line;
        },
      };
      const result = await captureFrom(cameras, settings);
      output.document(result);
      printCaptured(output, result);
      if (result.interrupted) return 0;
      return result.cameras.some(({ written }) => written > 0) && !result.cameras.some(gaveNothing) ? 0 : 1;
    } finally {
      await workspace?.close();
    }
  },
});
