// Owns the sample title: draws a test card, plays a tune, and encodes both into assets/sample/sample.mp4.
// It needs Debian's ffmpeg and fonts-dejavu, and refuses a result that is too large or too short.
//
//   node scripts/make-sample.mjs [OUT.mp4]
//
// The picture loops: every motion's period divides the duration, and the duration is a whole number of
// AAC frames (192 s x 48000 / 1024 = 9000) and of 4 s segments.
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const DURATION_S = 192
const FPS = 25
const GOP_FRAMES = 2 * FPS // closed, so that every segment stands alone
const RATE_HZ = 48_000
const BYTES_MAX = 12 * 1024 * 1024
const WIDTH = 1280
const HEIGHT = 720
const DIAL = 360
const DIAL_PERIOD_S = 8
const fonts = '/usr/share/fonts/truetype/dejavu'

const renditions = [
  { name: '360p', width: 640, height: 360, kbps: 70 },
  { name: '540p', width: 960, height: 540, kbps: 125 },
  { name: '720p', width: 1280, height: 720, kbps: 195 },
]
const strip = ['e8ecf1', 'ffd166', '35d0ba', '4cc9f0', '4895ef', '8e7dff', 'f472b6', 'ff6b6b']

const out = resolve(process.argv[2] ?? new URL('../assets/sample/sample.mp4', import.meta.url).pathname)
const scratch = mkdtempSync(join(tmpdir(), 'vitrine-sample-'))
try {
  drawCard(join(scratch, 'card.ppm'))
  drawDial(join(scratch, 'dial.rgba'))
  drawMarker(join(scratch, 'marker.rgba'))
  drawLamp(join(scratch, 'lamp.rgba'))
  playTune(join(scratch, 'tune.s16'))
  mkdirSync(dirname(out), { recursive: true })
  encode()
  const { size } = statSync(out)
  console.log(`${out}: ${(size / 1024 / 1024).toFixed(2)} MiB`)
  if (size > BYTES_MAX) throw new Error(`${size} bytes, expected at most ${BYTES_MAX}: lower a bit rate`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** A picture of floats 0..1 with alpha; shapes are painted by their signed distance, so that edges are smooth. */
function picture(width, height) {
  return { width, height, data: new Float32Array(width * height * 4) }
}

function paint(target, hex, distance, alpha = 1) {
  const [r, g, b] = rgb(hex)
  for (let y = 0; y < target.height; y += 1) {
    for (let x = 0; x < target.width; x += 1) {
      const cover = Math.max(0, Math.min(1, 0.5 - distance(x + 0.5, y + 0.5)))
      const a = cover * (typeof alpha === 'number' ? alpha : alpha(x + 0.5, y + 0.5))
      if (a > 0) blend(target, (y * target.width + x) * 4, r, g, b, a)
    }
  }
}

function blend({ data }, at, r, g, b, a) {
  const below = data[at + 3] * (1 - a)
  const sum = a + below
  data[at] = (r * a + data[at] * below) / sum
  data[at + 1] = (g * a + data[at + 1] * below) / sum
  data[at + 2] = (b * a + data[at + 2] * below) / sum
  data[at + 3] = sum
}

function rgb(hex) {
  return [0, 2, 4].map(at => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
}

function box(left, top, width, height, radius = 0) {
  return (x, y) => {
    const dx = Math.abs(x - left - width / 2) - width / 2 + radius
    const dy = Math.abs(y - top - height / 2) - height / 2 + radius
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius
  }
}

function disc(cx, cy, radius) {
  return (x, y) => Math.hypot(x - cx, y - cy) - radius
}

function ring(cx, cy, radius, width) {
  return (x, y) => Math.abs(Math.hypot(x - cx, y - cy) - radius) - width / 2
}

function line(x1, y1, x2, y2, width) {
  const length2 = (x2 - x1) ** 2 + (y2 - y1) ** 2
  return (x, y) => {
    const t = Math.max(0, Math.min(1, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length2))
    return Math.hypot(x - x1 - t * (x2 - x1), y - y1 - t * (y2 - y1)) - width / 2
  }
}

/** The still part: ground, frame marks, gratings, colour strip. */
function drawCard(file) {
  const card = picture(WIDTH, HEIGHT)
  drawGround(card)
  for (const [x, y, dx, dy] of [
    [28, 28, 1, 1],
    [WIDTH - 28, 28, -1, 1],
    [28, HEIGHT - 28, 1, -1],
    [WIDTH - 28, HEIGHT - 28, -1, -1],
  ]) {
    paint(card, '5b7394', line(x, y, x + 34 * dx, y, 2))
    paint(card, '5b7394', line(x, y, x, y + 34 * dy, 2))
  }
  strip.forEach((colour, index) => paint(card, colour, box(80 + index * 140, 596, 140, 44)))
  for (let index = 0; index < 16; index += 1) {
    const grey = Math.round((index / 15) * 255)
    paint(card, grey.toString(16).padStart(2, '0').repeat(3), box(80 + index * 70, 640, 70, 14))
  }
  // Gratings of 4, 3, 2 and 1 pixels: how many can be told apart shows which rendition plays.
  ;[4, 3, 2, 1].forEach((pitch, index) => {
    const left = 800 + index * 92
    for (let x = 0; x < 80; x += pitch * 2) paint(card, 'aebfd6', box(left + x, 512, pitch, 36))
  })
  const bytes = Buffer.alloc(WIDTH * HEIGHT * 3)
  for (let pixel = 0; pixel < WIDTH * HEIGHT; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      bytes[pixel * 3 + channel] = Math.round(card.data[pixel * 4 + channel] * 255)
    }
  }
  writeFileSync(file, Buffer.concat([Buffer.from(`P6\n${WIDTH} ${HEIGHT}\n255\n`), bytes]))
}

function drawGround(card) {
  const from = rgb('0b1322')
  const to = rgb('1c3150')
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      const t = Math.min(1, Math.hypot((x - 980) / 1000, (y - 290) / 620))
      const at = (y * WIDTH + x) * 4
      for (let channel = 0; channel < 3; channel += 1) {
        card.data[at + channel] = to[channel] + (from[channel] - to[channel]) * t
      }
      card.data[at + 3] = 1
    }
  }
}

/** One turn of the dial, frame by frame. */
function drawDial(file) {
  const still = picture(DIAL, DIAL)
  const c = DIAL / 2
  paint(still, '0b1322', disc(c, c, c - 4), 0.55)
  paint(still, '5b7394', ring(c, c, c - 5, 2))
  for (let tick = 0; tick < 40; tick += 1) {
    const angle = (tick / 40) * 2 * Math.PI
    const long = tick % 5 === 0
    const [s, k] = [Math.sin(angle), -Math.cos(angle)]
    const inner = c - (long ? 34 : 22)
    const shape = line(c + s * inner, c + k * inner, c + s * (c - 14), c + k * (c - 14), long ? 4 : 2)
    paint(still, long ? 'e8ecf1' : '5b7394', shape)
  }
  const frames = DIAL_PERIOD_S * FPS
  const fd = openSync(file, 'w')
  for (let frame = 0; frame < frames; frame += 1) {
    const dial = { ...still, data: Float32Array.from(still.data) }
    const turn = (frame / frames) * 2 * Math.PI
    const behind = (x, y) => {
      const angle = Math.atan2(x - c, c - y)
      const lag = ((((turn - angle) / (2 * Math.PI)) % 1) + 1) % 1
      return 0.75 * Math.max(0, 1 - lag / 0.3) ** 1.6
    }
    paint(dial, '35d0ba', ring(c, c, 108, 50), behind)
    const [s, k] = [Math.sin(turn), -Math.cos(turn)]
    paint(dial, 'ffd166', line(c + s * 30, c + k * 30, c + s * 132, c + k * 132, 5))
    paint(dial, 'e8ecf1', ring(c, c, 22, 4))
    const orbit = turn * -2
    paint(dial, 'ff6b6b', disc(c + Math.sin(orbit) * 54, c - Math.cos(orbit) * 54, 10))
    writeRgba(fd, dial)
  }
  closeSync(fd)
}

function drawMarker(file) {
  const marker = picture(24, 24)
  paint(marker, 'ffffff', box(10, 0, 4, 24, 2))
  paint(marker, 'ffffff', disc(12, 8, 8))
  const fd = openSync(file, 'w')
  writeRgba(fd, marker)
  closeSync(fd)
}

/** Lights on each note, to check that sound and picture stay together. */
function drawLamp(file) {
  const lamp = picture(24, 24)
  paint(lamp, '35d0ba', disc(12, 12, 10))
  const fd = openSync(file, 'w')
  writeRgba(fd, lamp)
  closeSync(fd)
}

function writeRgba(fd, { data }) {
  writeSync(
    fd,
    Uint8Array.from(data, value => Math.round(value * 255)),
  )
}

/** A soft pentatonic tune, one note a second, left and right in turn; a low chord changes each 8 s. */
function playTune(file) {
  const scale = [0, 2, 4, 7, 9, 12, 14, 16]
  const steps = [0, 2, 4, 5, 4, 2, 3, 1, 0, 3, 5, 7, 6, 4, 2, 1]
  const chords = [-24, -27, -20, -22]
  const pitch = semitone => 440 * 2 ** ((semitone - 9) / 12)
  const samples = new Int16Array(DURATION_S * RATE_HZ * 2)
  for (let index = 0; index < DURATION_S * RATE_HZ; index += 1) {
    const t = index / RATE_HZ
    const second = Math.floor(t)
    const since = t - second
    const note = pitch(scale[steps[second % steps.length] % scale.length])
    const attack = Math.min(1, since / 0.008)
    const fade = Math.min(1, (1 - since) / 0.02)
    const pluck = attack * fade * Math.exp(-3.2 * since)
    const voice =
      pluck *
      (Math.sin(2 * Math.PI * note * since) +
        0.35 * Math.sin(4 * Math.PI * note * since) * Math.exp(-4 * since))
    const within = t % 8
    const swell = Math.sin((Math.PI * within) / 8) ** 0.7
    const root = pitch(chords[Math.floor(t / 8) % chords.length])
    const pad =
      swell *
      (Math.sin(2 * Math.PI * root * within) +
        0.5 * Math.sin(2 * Math.PI * root * 1.5 * within) +
        0.25 * Math.sin(4 * Math.PI * root * within))
    const pan = second % 2 === 0 ? 0.62 : 0.38
    samples[index * 2] = 32767 * (0.42 * voice * pan + 0.1 * pad)
    samples[index * 2 + 1] = 32767 * (0.42 * voice * (1 - pan) + 0.1 * pad)
  }
  writeFileSync(file, new Uint8Array(samples.buffer))
}

function encode() {
  const raw = (name, width, height) => [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgba',
    '-s',
    `${width}x${height}`,
    '-r',
    String(FPS),
    '-i',
    join(scratch, name),
  ]
  const inputs = [
    '-loop',
    '1',
    '-framerate',
    String(FPS),
    '-i',
    join(scratch, 'card.ppm'),
    ...raw('dial.rgba', DIAL, DIAL),
    ...raw('marker.rgba', 24, 24),
    ...raw('lamp.rgba', 24, 24),
    '-f',
    's16le',
    '-ar',
    String(RATE_HZ),
    '-ac',
    '2',
    '-i',
    join(scratch, 'tune.s16'),
  ]
  const maps = renditions.flatMap((_, index) => ['-map', `[v${index}]`])
  const rates = renditions.flatMap(({ kbps }, index) => [
    `-b:v:${index}`,
    `${kbps}k`,
    `-maxrate:v:${index}`,
    `${Math.round(kbps * 1.4)}k`,
    `-bufsize:v:${index}`,
    `${kbps * 4}k`,
  ])
  execFileSync(
    'ffmpeg',
    [
      '-hide_banner',
      '-loglevel',
      'warning',
      '-stats',
      '-y',
      '-fflags',
      '+bitexact',
      ...inputs,
      '-filter_complex',
      filters(),
      ...maps,
      '-map',
      '4:a',
      '-t',
      String(DURATION_S),
      '-c:v',
      'libx264',
      '-profile:v',
      'high',
      '-preset',
      'slow',
      '-tune',
      'animation',
      ...rates,
      '-g',
      String(GOP_FRAMES),
      '-keyint_min',
      String(GOP_FRAMES),
      '-refs',
      '3',
      '-sc_threshold',
      '0',
      '-flags',
      '+cgop+bitexact',
      '-pix_fmt',
      'yuv420p',
      '-color_primaries',
      'bt709',
      '-color_trc',
      'bt709',
      '-colorspace',
      'bt709',
      '-c:a',
      'aac',
      '-b:a',
      '48k',
      '-metadata',
      'title=Vitrine sample',
      '-metadata:s:a:0',
      'language=und',
      '-movflags',
      '+faststart',
      out,
    ],
    { stdio: 'inherit' },
  )
}

/** Card, dial, marker, lamp and words on 1280x720; then one branch a rendition, each with its own name on it. */
function filters() {
  const text = (font, size, colour, x, y, words) =>
    `drawtext=fontfile=${fonts}/${font}.ttf:fontsize=${size}:fontcolor=0x${colour}:x=${x}:y=${y}:${words}`
  const frames = DURATION_S * FPS
  const words = [
    text('DejaVuSans-ExtraLight', 116, 'ffffff', 74, 76, 'text=Vitrine'),
    text('DejaVuSans', 25, '8fa3bf', 82, 212, "text='Sample title'"),
    text('DejaVuSansMono-Bold', 84, 'ffffff', 76, 312, `timecode='00\\:00\\:00\\:00':r=${FPS}`),
    text(
      'DejaVuSansMono',
      25,
      '8fa3bf',
      82,
      410,
      `text='frame %{eif\\:n+1\\:d\\:4} of ${frames}   ${FPS} frames/s'`,
    ),
    text('DejaVuSans', 25, '8fa3bf', 122, 516, "text='note'"),
  ].join(',')
  const branches = renditions
    .map(({ name, width, height }, index) => {
      const k = height / HEIGHT
      const size = Math.round(30 * k)
      const label = text(
        'DejaVuSans-Bold',
        size,
        'ffd166',
        `${Math.round(1200 * k)}-tw`,
        Math.round(84 * k),
        `text=${name}`,
      )
      return `[s${index}]scale=${width}:${height}:flags=lanczos:out_color_matrix=bt709,${label},format=yuv420p[v${index}]`
    })
    .join(';')
  return [
    `[1]loop=loop=-1:size=${DIAL_PERIOD_S * FPS}[dial]`,
    '[2]loop=loop=-1:size=1[marker]',
    '[3]loop=loop=-1:size=1[lamp]',
    '[0][dial]overlay=800:110:shortest=0:format=rgb[a]',
    "[a][marker]overlay=x='80+1096*(0.5-0.5*cos(2*PI*t/16))':y=570:eval=frame:format=rgb[b]",
    "[b][lamp]overlay=82:518:enable='lt(mod(t,1),0.24)':format=rgb[c]",
    `[c]${words},split=${renditions.length}${renditions.map((_, index) => `[s${index}]`).join('')}`,
    branches,
  ].join(';')
}
