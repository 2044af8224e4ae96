// Owns running ffmpeg and ffprobe for tests, and the files that tests make with them, once a run.
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const MS_MAX = 60_000
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024

export const scratch: string = mkdtempSync(join(tmpdir(), 'vitrine-origin-test-'))

export function hasFfmpeg(): boolean {
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Runs ffmpeg; gives what it wrote to standard error at level `error`: empty when all was well. */
export async function ffmpeg(args: readonly string[]): Promise<string> {
  const { stderr } = await run('ffmpeg', ['-hide_banner', '-nostdin', '-v', 'error', '-y', ...args], {
    timeout: MS_MAX,
    maxBuffer: OUTPUT_BYTES_MAX,
  })
  return stderr
}

/** Makes `name` out of a moving test picture and a tone; `args` says how to encode. */
export async function makeMedia(
  folder: string,
  name: string,
  source: Source,
  args: readonly string[],
): Promise<string> {
  const file = join(folder, name)
  const inputs: string[] = []
  if (source.videoS > 0) {
    const picture = `testsrc2=size=${source.size ?? '160x90'}:rate=${source.rate ?? '25'}:duration=${source.videoS}`
    inputs.push('-f', 'lavfi', '-i', picture)
  }
  if (source.audioS > 0) {
    inputs.push('-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${source.audioS}`)
  }
  await ffmpeg([...inputs, ...args, file])
  return file
}

export interface Source {
  readonly videoS: number
  readonly audioS: number
  readonly rate?: string
  readonly size?: string
}

/** Presentation times of all decoded frames of one stream, in seconds, in the order in which they come. */
export async function frameTimes(input: readonly string[], stream: string): Promise<number[]> {
  return probeTimes(input, stream, 'frame=pts_time')
}

/** Presentation times of all packets of one stream, in decode order; nothing is decoded. */
export async function packetTimes(input: readonly string[], stream: string): Promise<number[]> {
  return probeTimes(input, stream, 'packet=pts_time')
}

async function probeTimes(input: readonly string[], stream: string, entries: string): Promise<number[]> {
  const args = ['-v', 'error', '-select_streams', stream, '-show_entries', entries, '-of', 'csv=p=0']
  const { stdout } = await run('ffprobe', [...args, ...input], {
    timeout: MS_MAX,
    maxBuffer: OUTPUT_BYTES_MAX,
  })
  return stdout
    .split('\n')
    .map(line => line.split(',')[0] ?? '')
    .filter(text => text !== '')
    .map(Number)
}

/** Decodes one stream; gives a hash over all decoded frames, and what the decoder complained of. */
export async function decodedHash(
  input: readonly string[],
  stream: string,
): Promise<{ hash: string; complaints: string }> {
  const output = ['-map', `0:${stream}`, '-fps_mode', 'passthrough', '-f', 'streamhash', '-hash', 'md5', '-']
  const { stdout, stderr } = await run(
    'ffmpeg',
    ['-hide_banner', '-nostdin', '-v', 'error', ...input, ...output],
    {
      timeout: MS_MAX,
      maxBuffer: OUTPUT_BYTES_MAX,
    },
  )
  return { hash: stdout.trim(), complaints: stderr }
}

/** `format=duration` in seconds. */
export async function containerDuration(input: readonly string[]): Promise<number> {
  const args = ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', ...input]
  const { stdout } = await run('ffprobe', args, { timeout: MS_MAX })
  return Number(stdout.trim())
}
